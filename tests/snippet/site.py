"""A site that uses the snippet: pages, an API behind them, and a road to the collector that can be blocked.

Beacons go to the site's own /b, which hands them on to a real collector and keeps what the collector acknowledged: so
a test sees at once what arrived. Anything the collector refused, a whole beacon or one event, fails the test that asks.
"""

import contextlib
import json
import random
import struct
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import send, wait_until

Event = dict[str, Any]
WEB_VITALS = Path(__file__).parents[2] / "js-snippet/node_modules/web-vitals/dist/web-vitals.iife.js"


def a_picture(width: int = 300, height: int = 120) -> bytes:
    """A PNG of noise: what compresses too well is no candidate for LCP."""
    rows = b"".join(b"\0" + random.Random(y).randbytes(width * 3) for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURE = a_picture()


class Seen(NamedTuple):
    """One request that reached the site."""

    method: str
    path: str
    headers: dict[str, str]
    at: float


class Site:
    """Two origins of one site: `url` by name, `other` by number; both serve the same."""

    def __init__(self, collector_url: str) -> None:
        self.collector_url = collector_url
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self.seen: list[Seen] = []
        self.attempts: list[tuple[float, int, dict[str, Any]]] = []
        self.beacons: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.answers: Callable[[], int | None] = lambda: None
        self.reply_headers: dict[str, str] = {}
        self.config: dict[str, Any] | None = None
        self._lock = threading.Lock()
        site = self

        class Handler(_Handler):
            pass

        Handler.site = site
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url, self.other = f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def deliver(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Hand a beacon on to the collector; a status of the test's own choice stands in for one that is away."""
        beacon = json.loads(body)
        status = self.answers()
        if status is None:
            reply = send(f"{self.collector_url}/b", body, origin=self.url, user_agent=headers.get("user-agent", ""))
            status, outcome = reply.status, reply.headers
        else:
            outcome = dict(self.reply_headers)
        with self._lock:
            self.attempts.append((time.monotonic(), status, beacon))
            if status == 204 and beacon["beacon_id"] not in {known["beacon_id"] for known in self.beacons}:
                self.beacons.append(beacon)
            if status == 204 and "x-farside-refused" in outcome:
                self.refused.append(f"{outcome['x-farside-refused']} of {beacon['events']}")
            if 400 <= status < 429:
                self.refused.append(f"{status} for {body[:2000]!r}")
        return status, outcome

    def events(self, visit: str, kind: str = "", **fields: Any) -> list[Event]:
        """What the collector accepted of a visit, in the order it happened, each event with its beacon under `of`."""
        with self._lock:
            assert not self.refused, self.refused
            beacons = [b for b in self.beacons if b.get("release") == visit]
        events = [event | {"of": beacon} for beacon in beacons for event in beacon["events"]]
        events.sort(key=lambda e: float(e["of"]["view_started_at"]) + float(e["at"]))  # beacons may overtake each other
        return [e for e in events if e["type"] == (kind or e["type"]) and fields.items() <= e.items()]

    def vitals(self, visit: str) -> dict[str, Event]:
        """The newest of each vital."""
        return {event["name"]: event for event in self.events(visit, "vital")}

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_for(self, visit: str, kind: str = "", count: int = 1, timeout_s: float = 12, **fields: Any) -> list[Event]:
        """Until so many events of a kind, with these fields, have arrived."""
        wait_until(lambda: len(self.events(visit, kind, **fields)) >= count, timeout_s)
        return self.events(visit, kind, **fields)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if body:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the page may have gone
            self.wfile.write(body)

    def do_OPTIONS(self) -> None:
        self._note()
        self.answer(403)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self._note()
        if path == "/b":
            status, outcome = self.site.deliver(body, {k.lower(): v for k, v in self.headers.items()})
            passed = {k: v for k, v in outcome.items() if k in ("x-farside", "x-farside-config", "retry-after")}
            exposed = "X-Farside, X-Farside-Config, Retry-After"
            return self.answer(status, Access_Control_Allow_Origin="*", Access_Control_Expose_Headers=exposed, **passed)
        return self.api(path)

    def do_GET(self) -> None:
        path = self._note()
        if path in self.site.pages:
            html, headers = self.site.pages[path]
            return self.answer(200, html.encode(), **headers)
        if path.startswith("/api/"):
            return self.api(path)
        if path == "/web-vitals.js":
            return self.answer(200, WEB_VITALS.read_bytes(), "text/javascript")
        if path.endswith(".js"):
            reply = send(self.site.collector_url + path)
            return self.answer(reply.status, reply.body, "text/javascript", Access_Control_Allow_Origin="*")
        if path.startswith("/c/") and self.site.config is not None:
            return self.answer(200, json.dumps(self.site.config).encode(), "application/json")
        if path.endswith(".png"):
            return self.answer(200, PICTURE, "image/png", Cache_Control="no-store")
        return self.answer(204 if path == "/favicon.ico" else 404)

    def api(self, path: str) -> None:
        """/api/NAME?ms=40&status=200&timing=…&call=f: waits, answers JSON with twenty items, or calls f with it.

        /api/html?page=1 is a batch of ten cards, the last of which asks htmx for the next one.
        """
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        time.sleep(float(query.get("ms", 20)) / 1000)
        page = int(query.get("page", 0))
        data = {"items": [f"{path} {page * 20 + i}" for i in range(20)], "headers": dict(self.headers)}
        text, kind = json.dumps(data), "application/json"
        if "call" in query:
            text, kind = f"{query['call']}({text})", "text/javascript"
        if path == "/api/html":
            ask = f'hx-get="/api/html?ms=60&page={page + 1}" hx-trigger="revealed" hx-swap="afterend"'
            text, kind = (
                "<article class=card>card</article>" * 9 + f"<article class=card {ask}>next</article>",
                "text/html",
            )
        headers = {"Server_Timing": query["timing"], "Timing_Allow_Origin": "*"} if "timing" in query else {}
        self.answer(
            int(query.get("status", 200)), text.encode(), kind, Access_Control_Allow_Origin="*",
            Cache_Control=query.get("cache", "no-store"), **headers,
        )  # fmt: skip

    def _note(self) -> str:
        path = urllib.parse.urlsplit(self.path).path
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.site.seen.append(Seen(self.command, self.path, headers, time.monotonic()))
        return path
