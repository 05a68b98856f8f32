"""Ingest: the door. An HTTP request comes in; a durable line in the spool and one named outcome go out.

Two raw ASGI apps, `/b` for beacons and `/v1/traces` for OTLP spans: on this path a framework's request and response
objects cost more than the work. A beacon that came whole is spared ASGI as well (`express`); `bodies` reads the others.
A 2xx is sent only after the line is on disk. Nothing here waits for the store.
"""

import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from collector import beacon as beacons
from collector import otlp
from collector.agents import Agent, Hints, agent_of
from collector.enrich import Arrival, Memory, enrich
from collector.ingest.bodies import (
    MAX_BODY_BYTES,
    MAX_INFLATED_BYTES,
    MAX_OTLP_BYTES,
    MAX_OTLP_INFLATED_BYTES,
    Bodies,
    Receive,
)
from collector.limits import Limiter, client_of, is_loopback_address, network_of
from collector.outcomes import RETRY_AFTER_S, Outcome, Refused, Tally
from collector.place import Places
from collector.routes import RouteBook
from collector.scrub import scrub
from collector.settings import App, Settings
from collector.spool import Spool, checksummed

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BURST_S = 10

CORS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"X-Farside, X-Farside-Config, X-Farside-Refused, X-Farside-Reason, Retry-After",
    ),
]
PREFLIGHT = [
    *CORS,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, content-encoding"),
    (b"access-control-max-age", b"86400"),
]
KEPT = [*CORS, (b"x-farside", Outcome.STORED.encode())]


class Door:
    """What both addresses share: settings, the spool behind them and the tally of what they refuse."""

    def __init__(self, settings: Settings, spool: Spool, tally: Tally) -> None:
        self.settings = settings
        self.spool = spool
        self.tally = tally
        self._last_ms = 0
        self._networks = Limiter(settings.rate_per_network, BURST_S * settings.rate_per_network)
        self._keys = Limiter(settings.rate_per_key, BURST_S * settings.rate_per_key)
        self.bodies = Bodies()
        self._places = Places(settings.place_database if settings.place_database != Path() else None)
        self._country_header = settings.country_header.lower().encode()
        self._routes = RouteBook(settings.data / "routes.json")
        self._memories: dict[str, Memory] = {}

    def client(self, peer: tuple[str, int] | None, headers: dict[bytes, bytes]) -> str:
        """The address of whoever knocks, behind the proxies that are ours."""
        address = peer[0] if peer else ""
        hops = self.settings.trusted_hops
        if not hops:
            return address
        return client_of(address, _text(headers, b"x-forwarded-for"), _text(headers, b"forwarded"), hops)

    def arrival(self, site: App, client: str, headers: dict[bytes, bytes]) -> Arrival:
        """What enrichment may know of this request: everything but the address."""
        memory = self._memories.get(site.name)
        if memory is None:
            memory = self._memories[site.name] = Memory(self._routes.of(site.name))
        get = headers.get
        agent = _agent(
            get(b"user-agent", b""),
            get(b"sec-ch-ua", b""),
            get(b"sec-ch-ua-mobile", b""),
            get(b"sec-ch-ua-platform", b""),
        )
        country = self._places.country(client, _text(headers, self._country_header) if self._country_header else "")
        return Arrival(site, self.now_ms(), agent, country, memory)

    def refresh(self) -> None:
        """Take over what other processes have learned meanwhile, and apps and keys that were changed."""
        self._routes.refresh()
        self.settings.apps.refresh()

    def limit(self, client: str, key: str = "") -> None:
        """Count a knock of this network, or for this key; raises `Refused` when it is over its rate."""
        if is_loopback_address(client) and not self.settings.limit_loopback:
            return
        now_s = time.monotonic()
        if key and not self._keys.admits(key.encode(), now_s):
            raise Refused(Outcome.RATE_LIMITED, f"more than {self.settings.rate_per_key} a second for this key")
        if not key and not self._networks.admits(network_of(client), now_s):
            raise Refused(
                Outcome.RATE_LIMITED, f"more than {self.settings.rate_per_network} a second from this network"
            )

    def now_ms(self) -> int:
        """Milliseconds since 1970, never going back: lines lie in the spool in the order of their received_at."""
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms

    async def spool_refusals(self) -> None:
        """Write what was refused since the last call into the ledger, by way of the spool."""
        rows, details = self.tally.drain(), self.tally.drain_details()
        if rows or details:
            row = {"line_id": secrets.token_hex(16), "received_at": self.now_ms(), "outcomes": rows, "details": details}
            await self.spool.append(checksummed(msgspec.json.encode(row)))


Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Knock:
    """One beacon at the door: what is known of it so far, which is what its refusal is counted under."""

    body: bytes = b""
    app: str = ""
    events: int = 1
    kept: int = 0
    reply: Headers = field(default_factory=list)


class BeaconDoor:
    """`POST /b`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._encoder = msgspec.json.Encoder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["method"] == "OPTIONS":
            await _reply(send, 204, PREFLIGHT)
            return
        knock = Knock()
        try:
            if scope["method"] != "POST":
                raise Refused(Outcome.BAD_METHOD)
            headers = dict(scope["headers"])
            client = self._door.client(scope.get("client"), headers)
            self._door.limit(client)
            knock.body = await self._door.bodies.read(headers, receive, MAX_BODY_BYTES, MAX_INFLATED_BYTES)
            await self._door.spool.append(self._line(knock, client, headers))
        except Refused as refusal:
            await _reply(send, *self._refused(knock, refusal))
        else:
            await _reply(send, 204, self._kept(knock))

    def take(
        self,
        peer: tuple[str, int] | None,
        headers: dict[bytes, bytes],
        body: bytes,
        answer: Callable[[int, Headers, bytes], None],
    ) -> None:
        """The same for a request that is there as a whole, without a task of its own: `answer` is called when it is due."""
        knock = Knock(body)

        def settle(refusal: Refused | None) -> None:
            if refusal:
                answer(*self._refused(knock, refusal))
            else:
                answer(204, self._kept(knock), b"")

        try:
            client = self._door.client(peer, headers)
            self._door.limit(client)
            self._door.spool.put(self._line(knock, client, headers), settle)
        except Refused as refusal:
            settle(refusal)

    def _line(self, knock: Knock, client: str, headers: dict[bytes, bytes]) -> bytes:
        """What is spooled of a beacon; raises `Refused`."""
        beacon = beacons.decode(knock.body)
        knock.app = self._app_name(beacon.key)
        refused = sum(beacon.refused.values())
        knock.events = len(beacon.events) + refused or 1
        site = self._admit(beacon.key, _text(headers, b"origin"))
        self._door.limit(client, beacon.key)
        if not beacon.events and not beacon.dropped:
            raise Refused(Outcome.NO_EVENT, beacon.reason or "`events` is empty")
        line = enrich(beacon, self._door.arrival(site, client, headers))
        if isinstance(line, Outcome):
            raise Refused(line)
        spooled = checksummed(self._encoder.encode(line))
        knock.kept, knock.reply = len(beacon.events), KEPT
        if refused:
            # What a developer sees in the network panel; header values are ASCII.
            reason = beacon.reason.encode("ascii", "replace")[:200]
            outcome, _, detail = beacon.reason.partition(": ")
            self._door.tally.explain(site.name, outcome, scrub(detail))
            knock.reply = [*KEPT, (b"x-farside-refused", str(refused).encode()), (b"x-farside-reason", reason)]
        if beacon.config != site.remote.version:
            knock.reply = [*knock.reply, (b"x-farside-config", (site.remote.version or "0").encode())]
        return spooled

    def _kept(self, knock: Knock) -> Headers:
        self._door.tally.acknowledge(knock.app, knock.kept)
        return knock.reply

    def _refused(self, knock: Knock, refusal: Refused) -> tuple[int, Headers, bytes]:
        app = knock.app or self._app_name(beacons.key_of(knock.body))
        self._door.tally.refuse(app, refusal.outcome, knock.events, scrub(refusal.detail))
        return _refusal(refusal, CORS, allow=b"POST, OPTIONS")

    def _app_name(self, key: str) -> str:
        """Whom to attribute a refusal to: the app of the key, nobody when the key is not known."""
        site = self._door.settings.apps.with_key(key)
        return site.name if site else ""

    def _admit(self, key: str, origin: str) -> App:
        """Which app this is for, if this page may speak for it."""
        site = self._door.settings.apps.with_key(key)
        if site is None:
            raise Refused(Outcome.UNKNOWN_KEY, f"{key!r} stands in no [apps.…] of farside.toml")
        if origin and not site.allows(origin):
            raise Refused(
                Outcome.ORIGIN_REFUSED, f"add {origin!r} to the origins of [apps.{site.name}] in farside.toml"
            )
        return site


class SpanDoor:
    """`POST /v1/traces`: OTLP/HTTP, protobuf or JSON."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        try:
            if scope["method"] != "POST":
                raise Refused(Outcome.BAD_METHOD)
            headers = dict(scope["headers"])
            self._authorize(self._door.client(scope.get("client"), headers), headers)
            is_json = headers.get(b"content-type", b"").startswith(b"application/json")
            body = await self._door.bodies.read(headers, receive, MAX_OTLP_BYTES, MAX_OTLP_INFLATED_BYTES)
            batch = otlp.decode(body, is_json=is_json, now_ns=time.time_ns())
            for outcome, n in batch.refused.items():
                self._door.tally.refuse("", outcome, n)
            if batch.spans:
                row = {"line_id": secrets.token_hex(16), "received_at": self._door.now_ms(), "spans": batch.spans}
                await self._door.spool.append(checksummed(msgspec.json.encode(row)))
                self._door.tally.acknowledge("", len(batch.spans))
        except Refused as refusal:
            self._door.tally.refuse("", refusal.outcome, detail=refusal.detail)
            await _reply(send, *_refusal(refusal, [], allow=b"POST"))
            return
        kind = b"application/json" if is_json else b"application/x-protobuf"
        reply = otlp.reply(batch, is_json=is_json)
        await _reply(send, 200, [(b"content-type", kind), (b"content-length", str(len(reply)).encode())], reply)

    def _authorize(self, client: str, headers: dict[bytes, bytes]) -> None:
        token = self._door.settings.otlp_token
        if token:
            given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            if not secrets.compare_digest(given, token.encode()):
                raise Refused(Outcome.BAD_TOKEN, "send `Authorization: Bearer <otlp_token>`")
        elif not is_loopback_address(client):
            raise Refused(Outcome.BAD_TOKEN, "no otlp_token is set, so only backends on this machine may send spans")


@lru_cache(maxsize=8_192)
def _agent(user_agent: bytes, *hints: bytes) -> Agent:
    return agent_of(user_agent[:512].decode("latin-1"), Hints(*(hint[:256].decode("latin-1") for hint in hints)))


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


async def _reply(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _refusal(refusal: Refused, headers: Headers, *, allow: bytes) -> tuple[int, Headers, bytes]:
    outcome = refusal.outcome
    body = json.dumps({"outcome": outcome, "message": str(refusal)}).encode()
    extra = [(b"x-farside", outcome.encode()), (b"content-type", b"application/json")]
    if outcome.status in (429, 503):
        extra.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if outcome.status == 405:
        extra.append((b"allow", allow))
    return outcome.status, [*headers, *extra, (b"content-length", str(len(body)).encode())], body
