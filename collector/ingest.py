"""Ingest: the door. An HTTP request comes in; a durable line in the spool and one named outcome go out.

Two raw ASGI apps, `/b` for beacons and `/v1/traces` for OTLP spans: on this path a framework's request and response
objects cost more than the work. A 2xx is sent only after the line is on disk. Nothing here waits for the store.
"""

import asyncio
import json
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from collector import beacon as beacons
from collector import otlp
from collector.agents import Agent, Hints, agent_of
from collector.beacon import Beacon
from collector.enrich import Arrival, Memory, enrich
from collector.limits import Limiter, client_of, is_loopback_address, network_of
from collector.outcomes import RETRY_AFTER_S, Outcome, Refused, Tally
from collector.place import Places
from collector.routes import RouteBook
from collector.settings import App, Settings
from collector.spool import Spool, checksummed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 256 << 10
MAX_INFLATED_BYTES = 1 << 20
MAX_OTLP_BYTES = 4 << 20
MAX_OTLP_INFLATED_BYTES = 16 << 20
BODY_DEADLINE_S = 10.0
MAX_READING_BYTES = 256 << 20
BURST_S = 10
AGENT_HEADERS = (b"user-agent", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform")

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


class Door:
    """What both addresses share: settings, the spool behind them and the tally of what they refuse."""

    def __init__(self, settings: Settings, spool: Spool, tally: Tally) -> None:
        self.settings = settings
        self.spool = spool
        self.tally = tally
        self._last_ms = 0
        self._networks = Limiter(settings.rate_per_network, BURST_S * settings.rate_per_network)
        self._keys = Limiter(settings.rate_per_key, BURST_S * settings.rate_per_key)
        self._reading = 0
        self._places = Places(settings.place_database if settings.place_database != Path() else None)
        self._country_header = settings.country_header.lower().encode()
        self._routes = RouteBook(settings.data / "routes.json")
        self._memories: dict[str, Memory] = {}

    def client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The address of whoever knocks, behind the proxies that are ours."""
        peer: str = (scope.get("client") or ("",))[0]
        hops = self.settings.trusted_hops
        return client_of(peer, _text(headers, b"x-forwarded-for"), _text(headers, b"forwarded"), hops) if hops else peer

    def arrival(self, site: App, client: str, headers: dict[bytes, bytes]) -> Arrival:
        """What enrichment may know of this request: everything but the address."""
        memory = self._memories.get(site.name)
        if memory is None:
            memory = self._memories[site.name] = Memory(self._routes.of(site.name))
        agent = _agent(*(headers.get(name, b"") for name in AGENT_HEADERS))
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

    async def body(self, headers: dict[bytes, bytes], receive: Receive, limit: int, inflated_limit: int) -> bytes:
        """Read a request's body, unless as many are being read as memory is allowed for."""
        if self._reading >= MAX_READING_BYTES:
            raise Refused(Outcome.BUSY, "too many bodies are arriving at once")
        self._reading += limit
        try:
            return await _body(headers, receive, limit, inflated_limit)
        finally:
            self._reading -= limit

    def now_ms(self) -> int:
        """Milliseconds since 1970, never going back: lines lie in the spool in the order of their received_at."""
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms

    async def spool_refusals(self) -> None:
        """Write what was refused since the last call into the ledger, by way of the spool."""
        rows = self.tally.drain()
        if rows:
            row = {"line_id": secrets.token_hex(16), "received_at": self.now_ms(), "outcomes": rows}
            await self.spool.append(checksummed(msgspec.json.encode(row)))


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
        app, events, body = "", 1, b""
        try:
            if scope["method"] != "POST":
                raise Refused(Outcome.BAD_METHOD)
            headers = dict(scope["headers"])
            client = self._door.client(scope, headers)
            self._door.limit(client)
            body = await self._door.body(headers, receive, MAX_BODY_BYTES, MAX_INFLATED_BYTES)
            beacon = beacons.decode(body)
            app = self._app_name(beacon.key)
            refused = sum(beacon.refused.values())
            events = len(beacon.events) + refused or 1
            site = self._admit(beacon.key, _text(headers, b"origin"))
            self._door.limit(client, beacon.key)
            await self._keep(beacon, self._door.arrival(site, client, headers))
        except Refused as refusal:
            self._door.tally.refuse(app or self._app_name(beacons.key_of(body)), refusal.outcome, events)
            await _reply_refusal(send, refusal, CORS, allow=b"POST, OPTIONS")
            return
        extra = []
        if refused:
            # What a developer sees in the network panel; header values are ASCII.
            reason = beacon.reason.encode("ascii", "replace")[:200]
            extra = [(b"x-farside-refused", str(refused).encode()), (b"x-farside-reason", reason)]
        if beacon.config != site.remote.version:
            extra.append((b"x-farside-config", (site.remote.version or "0").encode()))
        await _reply(send, 204, [*CORS, (b"x-farside", Outcome.STORED.encode()), *extra])

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

    async def _keep(self, beacon: Beacon, arrival: Arrival) -> None:
        """Enrich and spool what is left of a beacon."""
        if not beacon.events and not beacon.dropped:
            raise Refused(Outcome.NO_EVENT, beacon.reason or "`events` is empty")
        line = enrich(beacon, arrival)
        if isinstance(line, Outcome):
            raise Refused(line)
        await self._door.spool.append(checksummed(self._encoder.encode(line)))
        self._door.tally.acknowledge(arrival.app.name, len(beacon.events))


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
            self._authorize(self._door.client(scope, headers), headers)
            is_json = headers.get(b"content-type", b"").startswith(b"application/json")
            body = await self._door.body(headers, receive, MAX_OTLP_BYTES, MAX_OTLP_INFLATED_BYTES)
            batch = otlp.decode(body, is_json=is_json, now_ns=time.time_ns())
            for outcome, n in batch.refused.items():
                self._door.tally.refuse("", outcome, n)
            if batch.spans:
                row = {"line_id": secrets.token_hex(16), "received_at": self._door.now_ms(), "spans": batch.spans}
                await self._door.spool.append(checksummed(msgspec.json.encode(row)))
                self._door.tally.acknowledge("", len(batch.spans))
        except Refused as refusal:
            self._door.tally.refuse("", refusal.outcome)
            await _reply_refusal(send, refusal, [], allow=b"POST")
            return
        kind = b"application/json" if is_json else b"application/x-protobuf"
        await _reply(send, 200, [(b"content-type", kind)], otlp.reply(batch, is_json=is_json))

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


async def _body(headers: dict[bytes, bytes], receive: Receive, limit: int, inflated_limit: int) -> bytes:
    """Read a request's body under its caps and its deadline, inflated if it must be."""
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise Refused(Outcome.TOO_LARGE, f"{int(declared):,} bytes, the limit is {limit:,}")
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(Outcome.TOO_SLOW, "the client went away before its body was complete")
                chunks += message.get("body", b"")
                if len(chunks) > limit:
                    raise Refused(Outcome.TOO_LARGE, f"more than {limit:,} bytes")
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Refused(Outcome.TOO_SLOW, f"{BODY_DEADLINE_S:.0f} s were not enough") from None
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    return bytes(chunks) if encoding in (b"", b"identity") else _inflate(bytes(chunks), encoding, inflated_limit)


def _inflate(data: bytes, encoding: bytes, limit: int) -> bytes:
    """Inflate no further than the limit: a bomb goes off at its cap."""
    if encoding not in (b"gzip", b"deflate"):
        raise Refused(Outcome.BAD_ENCODING, f"{encoding.decode('latin-1')!r}; send gzip, deflate or plain")
    # 47: zlib or gzip by its header. Some clients mean raw deflate by "deflate"; their first byte is no zlib header.
    raw = encoding == b"deflate" and data[:1] and data[0] & 0x0F != 8
    inflater = zlib.decompressobj(-15 if raw else 47)
    try:
        inflated = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise Refused(Outcome.BAD_ENCODING, str(error)) from None
    if len(inflated) > limit:
        raise Refused(Outcome.TOO_LARGE, f"more than {limit:,} bytes when inflated")
    if not inflater.eof:
        raise Refused(Outcome.BAD_ENCODING, "the compressed body is cut off")
    return inflated


async def _reply(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    if status != 204:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _reply_refusal(send: Send, refusal: Refused, headers: list[tuple[bytes, bytes]], *, allow: bytes) -> None:
    outcome = refusal.outcome
    body = json.dumps({"outcome": outcome, "message": str(refusal)}).encode()
    extra = [(b"x-farside", outcome.encode()), (b"content-type", b"application/json")]
    if outcome.status in (429, 503):
        extra.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if outcome.status == 405:
        extra.append((b"allow", allow))
    await _reply(send, outcome.status, [*headers, *extra], body)
