"""A shop's traffic in a real store, and the pages over it."""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import dashboards
from collector.query.question import Question
from collector.settings import DEMO, App, Apps, Settings
from collector.snippets import snippet_routes
from collector.store import Store
from tests.conftest import free_port, wait_until
from tests.pages.planted import Day
from tests.pages.shop import Shop, Traffic

# chDB opens one data folder at a time, so tests that need rows of their own have an app of their own.
OTHERS = ("empty", "few", "sampled", "hostile", "shipped")
APPS = Apps([DEMO, *(App(name, (f"{name}-key",), (f"https://{name}.example",)) for name in OTHERS)])


class Seeded(NamedTuple):
    """Pages over known traffic."""

    store: Store
    traffic: Traffic
    client: httpx.Client
    question: Question

    def shop(self, app: str, seed: int) -> Shop:
        """A shop whose traffic is another app's, as of the same time."""
        return Shop(seed, self.question.at, app)

    def insert(self, traffic: Traffic, token: str) -> None:
        self.store.insert(traffic.to_bytes(), token)

    def value(self, sql: str, **parameters: Any) -> Any:
        return next(iter(self.store.read(sql, parameters)[0].values()))


def open_store(folder: Path) -> Store:
    store = Store(f"chdb://{folder / 'chdb'}", scratch=folder / "tmp")
    store.open()
    return store


@contextmanager
def pages_over(store: Store, now_ms: int, apps: Apps | None = None) -> Iterator[httpx.Client]:
    """The pages, served for real, with everything received up to `now_ms` loaded."""
    watermark = datetime.fromtimestamp(now_ms / 1000, UTC)
    settings = Settings(apps=APPS if apps is None else apps, data=Path(tempfile.gettempdir()))
    pages = dashboards.routes(store, settings, lambda: watermark)
    scripts = snippet_routes(settings.data / "snippets")
    routes = [*pages, *scripts, Route("/b", _keep, methods=["POST"])]
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    wait_until(lambda: server.started)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, event_hooks={"request": [_wait]}) as client:
        yield client
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


# What our own snippet told of our own pages.
BEACONS: list[dict[str, Any]] = []


async def _keep(request: Request) -> Response:
    BEACONS.append(json.loads(await request.body()))
    return Response(status_code=204)


def _wait(request: httpx.Request) -> None:
    """Patience for a busy machine: what is tested here is not how fast it is."""
    request.url = request.url.copy_merge_params({"wait": "1"})


def now_in_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Two hours of 400 views, and a few refusals."""
    now_ms = now_in_ms()
    store = open_store(tmp_path_factory.mktemp("seeded"))
    shop = Shop(seed=11, now_ms=now_ms)
    traffic = shop.views(400, over_ms=7_200_000)
    shop.refuse("origin_refused", 12)
    shop.refuse("unknown_key", 3, app="")
    store.insert(traffic.to_bytes(), "seeded")
    question = Question("demo", datetime.fromtimestamp(now_ms / 1000, UTC))
    with pages_over(store, now_ms) as client:
        yield Seeded(store, traffic, client, question)
    store.close()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """An hour of 260 sessions with everything in it that is planted."""
    now_ms = now_in_ms()
    store = open_store(tmp_path_factory.mktemp("day"))
    shop = Day(seed=5, now_ms=now_ms)
    shop.fill(260)
    store.insert(shop.traffic.to_bytes(), "day")
    question = Question("demo", datetime.fromtimestamp(now_ms / 1000, UTC))
    with pages_over(store, now_ms) as client:
        yield Seeded(store, shop.traffic, client, question)
    store.close()
