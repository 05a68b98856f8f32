"""App: wires the rooms into one ASGI application and runs their lives: spool, store, loader, ledger.

The door opens before the store does and stays open when the store is away; pages then say so. The only importer of
dashboards.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

import dashboards
from collector.desk import Desk
from collector.gate import Gate, is_public
from collector.ingest import BeaconDoor, Door, Scope, Send, SpanDoor
from collector.ingest.bodies import Receive
from collector.keeping import Keeping
from collector.load import Loader, yield_to_the_door
from collector.night import Night
from collector.notes import Notes
from collector.outcomes import Outcome, Refused, Tally
from collector.people import People, Sessions
from collector.settings import MIB, BadSettings, Settings
from collector.snippets import snippet_routes
from collector.spool import Spool
from collector.store import Store, StoreAway
from collector.watch import Watch
from dashboards.site import Site

log = logging.getLogger("farside")

LEDGER_EVERY_S = 1.0
REOPEN_EVERY_S = 2.0


class Collector:
    """The parts of one running collector."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        self.tally = Tally(self.registry)
        self.spool = Spool(
            settings.spool, cap_bytes=settings.spool_cap_mib * MIB, seal_after_s=settings.seal_after_ms / 1000
        )
        self.store = Store.of(settings)
        self.loader = Loader(settings.spool, self.store)
        self.night = Night(settings, self.store, self.registry)
        self.door = Door(settings, self.spool, self.tally)
        self.people = People(settings.people_file)
        self.notes = Notes(self.store, settings, self.people)
        # Threads of the embedded engine inherit the rank of whoever opens it.
        self._opener = ThreadPoolExecutor(1, "opener", initializer=yield_to_the_door)
        self.watch = Watch(settings, self.store, self.watermark)
        self.store_open = False
        self.store_problem = "the store has not been opened yet"
        self._add_gauges()

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """From the first line that can be kept to the last one that was."""
        self.spool.start()
        self.watch.start()
        opening = asyncio.create_task(self._open_store() if self.settings.has("load") else asyncio.sleep(0))
        ledger = asyncio.create_task(self._keep_ledger())
        notes = asyncio.create_task(self._keep_notes() if self.settings.has("pages") else asyncio.sleep(0))
        try:
            yield
        finally:
            for task in (ledger, notes, opening):
                task.cancel()
            await asyncio.gather(ledger, notes, opening, return_exceptions=True)
            await self._spool_refusals()
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self.watch.close()
        self.spool.close()
        if self.settings.has("load"):
            self.loader.close()
            self.night.close()
        if self.store_open:
            self.store.close()

    async def _open_store(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._opener, self.store.open)
            except StoreAway as error:
                if self.store_problem != str(error):
                    log.error("Cannot open the store: %s", error)
                self.store_problem = str(error)
                await asyncio.sleep(REOPEN_EVERY_S)
                continue
            except Exception as error:
                log.exception("Cannot open the store; trying again")
                self.store_problem = f"{type(error).__name__}: {error}"
                await asyncio.sleep(REOPEN_EVERY_S)
                continue
            self.store_open, self.store_problem = True, ""
            self.loader.start()
            self.night.start()
            return

    async def _keep_ledger(self) -> None:
        while True:
            await asyncio.sleep(LEDGER_EVERY_S)
            try:
                self.door.refresh()
            except BadSettings as error:
                log.error("Keeping the apps as they were: %s", error)
            except Exception:
                # Whatever is the matter with a file, the ledger goes on.
                log.exception("Could not take over what changed")
            await self._spool_refusals()

    async def _keep_notes(self) -> None:
        """Write settings and people that changed into the audit, when the store can take it."""
        while True:
            await asyncio.sleep(LEDGER_EVERY_S)
            if not self.store_open:
                continue
            try:
                await asyncio.to_thread(self.notes.look)
            except (StoreAway, BadSettings) as error:
                log.warning("Could not note what changed in the settings: %s", error)
            except Exception:
                log.exception("Could not note what changed in the settings")

    async def _spool_refusals(self) -> None:
        try:
            await self.door.spool_refusals()
        except Refused as refusal:
            log.warning("The ledger is missing refusals of the last second: %s", refusal)

    def readiness(self) -> tuple[bool, dict[str, object]]:
        """Whether beacons can be kept now, and the state of everything behind the door."""
        files, size = self.loader.backlog()
        waits = self.settings.has("load") and not self.store_open
        problem = self.spool.problem() or (f"first migration: {self.store_problem}" if waits else "")
        return not problem, {
            "ready": not problem,
            "problem": problem,
            "store": self.store_problem or self.loader.away_because or "ok",
            "watermark": datetime.fromtimestamp(self.loader.watermark_ms / 1000, UTC).isoformat(),
            "backlog_files": files,
            "backlog_bytes": size,
        }

    def _add_gauges(self) -> None:
        backlog = Gauge("farside_spool_backlog_bytes", "Bytes that wait for the store", registry=self.registry)
        backlog.set_function(lambda: self.loader.backlog()[1])
        lag = Gauge("farside_load_lag_seconds", "Age of the loader's watermark", registry=self.registry)
        lag.set_function(lambda: datetime.now(UTC).timestamp() - self.loader.watermark_ms / 1000)

    # What is served beside the doors and the pages.

    async def healthz(self, request: Request) -> Response:
        """Alive."""
        return Response("ok\n", media_type="text/plain")

    async def readyz(self, request: Request) -> Response:
        """200 when beacons can be kept."""
        ready, body = self.readiness()
        return JSONResponse(body, status_code=200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4")

    async def remote_config(self, request: Request) -> Response:
        """What the snippet of this key may do; defaults, until an app says otherwise."""
        app = self.settings.apps.with_key(request.path_params["key"])
        headers = {"access-control-allow-origin": "*", "cache-control": "public, max-age=60"}
        if app is None:
            # Nothing was sent, so the ledger has nothing to count.
            headers["x-farside"] = Outcome.UNKNOWN_KEY
            return JSONResponse({"outcome": Outcome.UNKNOWN_KEY}, status_code=404, headers=headers)
        return JSONResponse(app.remote.as_json(), headers=headers)

    def watermark(self) -> datetime:
        """Everything received up to here can be seen; where every query stops."""
        return datetime.fromtimestamp(self.loader.watermark_ms / 1000, UTC)

    def away_since(self) -> datetime | None:
        """Since when the loader has been in vain; readers may still be answered, from what was there before."""
        since_ms = self.loader.away_since_ms
        return datetime.fromtimestamp(since_ms / 1000, UTC) if since_ms else None

    def app(self) -> Starlette:
        """The whole as one ASGI application."""
        routes: list[BaseRoute] = [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]
        if self.settings.has("ingest"):
            routes += [
                Route("/v1/traces", endpoint=SpanDoor(self.door)),
                Route("/c/{key}", self.remote_config),
                *snippet_routes(self.settings.data / "snippets"),
            ]
        if self.settings.has("pages"):
            routes += Desk(self.store, self.settings).routes()
            routes += Keeping(self.store, self.settings, self.watermark).routes()
            routes += self.watch.routes()
            routes += dashboards.routes(self.store, self.settings, self.watermark, self.away_since, self.watch)
        app = Starlette(lifespan=self.running, routes=routes)
        if self.settings.has("pages"):
            site = Site(self.store, self.settings, self.watermark, self.away_since)
            app.state.render = site.render
            app.exception_handlers |= dashboards.lost(site)
        return app

    def gate(self, app: Starlette) -> Gate:
        """What stands before everything private."""
        settings = self.settings
        site = Site(self.store, settings, self.watermark, self.away_since)
        return Gate(app, settings, self.people, Sessions(settings.data / "sessions.sqlite3"), site.render)


class Front:
    """The ASGI application that is served: beacons go straight to their door, past routing and error pages.

    Finding a route and wrapping a request cost as much as all that a beacon needs (bench/door.py). Everything else
    passes the gate, which lets the public routes through.
    """

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.starlette = collector.app()
        self.beacons = BeaconDoor(collector.door) if collector.settings.has("ingest") else None
        self._gate = collector.gate(self.starlette)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] == "http" and scope["path"] == "/b" and self.beacons:
            await self.beacons(scope, receive, send)
        else:
            await self._gate(scope, receive, send)

    async def public(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry of an address that everybody reaches: what is private is not there at all."""
        if scope["type"] != "http" or is_public(scope["path"]):
            await self(scope, receive, send)
        else:
            await Response("not here\n", 404, media_type="text/plain")(scope, receive, send)


def create_app(settings: Settings) -> Front:
    """A collector's ASGI application."""
    return Front(Collector(settings))
