"""The page of the comparison and the three origins it speaks to: its own, the sink for telemetry, a partner's.

What reaches the sink and the API is kept as it came. The partner refuses preflights, as most of the web does: a snippet
that adds a header to requests it does not own breaks the page, and is seen to.
"""

import contextlib
import gzip
import json
import sys
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.snippet.site import a_picture

HERE = Path(__file__).parent
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER_TIMING = f'sig-db;dur=11.5;desc="sig-db", traceparent;desc="00-{TRACE}-{SPAN}-01"'
HERO, SMALL = a_picture(640, 260), a_picture(40, 40)


@dataclass
class Request:
    """One request as it arrived, its body decoded if it was compressed."""

    method: str
    url: str
    headers: dict[str, str]
    size: int
    text: str
    at: float = field(default_factory=time.monotonic)


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole, keeps it, answers it by what `place` says."""

    protocol_version = "HTTP/1.1"
    kept: list[Request]
    place: Callable[["Handler", Request], None]

    def log_message(self, *_: Any) -> None:
        pass

    def answer_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, len(body), decoded(body))
        self.kept.append(request)
        type(self).place(self, request)

    do_GET = do_POST = do_PUT = do_OPTIONS = answer_any  # noqa: N815 (the names that http.server looks for)

    def answer(self, status: int, body: bytes = b"", kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": kind, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the page may have gone
            self.wfile.write(body)


def decoded(body: bytes) -> str:
    """Text of a body; gzip and deflate are known by their first bytes, for not every client names them."""
    with contextlib.suppress(OSError, zlib.error, EOFError):
        if body[:2] == b"\x1f\x8b":
            return gzip.decompress(body).decode(errors="replace")
        if body[:1] == b"\x78":
            return zlib.decompress(body).decode(errors="replace")
    return body.decode(errors="replace")


class Server(ThreadingHTTPServer):
    """A browser that goes away in the middle is what is measured here, not an error."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Origin:
    """One address on a free port, with everything it was asked."""

    def __init__(self, host: str, place: Callable[[Handler, Request], None]) -> None:
        self.kept: list[Request] = []
        handler = type("Place", (Handler,), {"kept": self.kept, "place": staticmethod(place)})
        self._server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Origins:
    """The three together, and the snippet that the page carries at the moment."""

    def __init__(self, scripts: Path) -> None:
        self.script, self.loader, self.attributes = b"", "", ""
        self.page = Origin("localhost", self._page)
        self.sink = Origin("127.0.0.1", partial(sink, scripts=scripts))
        self.partner = Origin("127.0.0.1", partner)

    def carry(self, script: bytes, loader: str, attributes: str) -> None:
        """From now on the page has this snippet; what was kept of the last one is forgotten."""
        self.script, self.loader, self.attributes = script, loader, attributes
        for origin in (self.page, self.sink, self.partner):
            origin.kept.clear()

    def stop(self) -> None:
        for origin in (self.page, self.sink, self.partner):
            origin.stop()

    def _page(self, handler: Handler, request: Request) -> None:
        path, _, query = request.url.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        time.sleep(float(asked.get("ms", 40 if path.startswith("/api/") else 0)) / 1000)
        if path.startswith("/api/"):
            return api(handler, path, int(asked.get("page", 0)))
        if path.endswith(".png"):
            picture = HERO if path == "/hero.png" else SMALL
            return handler.answer(200, picture, "image/png", Cache_Control="no-store")
        if path == "/snippet.js":
            return handler.answer(200, self.script, "text/javascript", Cache_Control="no-store")
        if path == "/favicon.ico":
            return handler.answer(204)
        return handler.answer(
            200, self._html(), Cache_Control="no-store", Server_Timing=SERVER_TIMING,
            Content_Security_Policy_Report_Only="img-src 'self'",
        )  # fmt: skip

    def _html(self) -> bytes:
        html = (HERE / "page.html").read_text()
        tag = f'<script src="/snippet.js" {self.attributes}></script>' if self.script else ""
        parts = {"trace": TRACE, "span": SPAN, "third": self.partner.url, "script": tag}
        parts["loader"] = f"<script>{self.loader}</script>" if self.loader else ""
        for name, text in parts.items():
            html = html.replace("{{" + name + "}}", text)
        return html.encode()


def api(handler: Handler, path: str, page: int) -> None:
    items = [{"name": f"Thing {page * 20 + i}", "price": i} for i in range(20)]
    status = 500 if path == "/api/broken" else 200
    body = json.dumps({"items": items}).encode()
    handler.answer(status, body, "application/json", Cache_Control="no-store", Server_Timing=SERVER_TIMING)


# What a peer needs to hear before it starts or goes on: its own back end's shortest answers.
REPLIES = {
    "/array/": {"hasFeatureFlags": False, "autocaptureExceptions": True, "supportedCompression": ["gzip-js"],
                "capturePerformance": {"network_timing": True, "web_vitals": True}, "sessionRecording": False},
    "/flags": {"flags": {}, "featureFlags": {}, "errorsWhileComputingFlags": False},
    "/1/NRJS": {"app": {"agents": [{"entityGuid": "MXxCUk9XU0VSfEFQUHwx"}], "nrServerTime": 0}, "loaded": 1,
                "err": 1, "ins": 1, "spa": 1, "st": 1, "sts": 1, "sr": 0, "srs": 0, "log": 0, "logapi": 0},
    "/e/": {"status": 1},
    "/envelope": {"id": "0"},
}  # fmt: skip


def sink(handler: Handler, request: Request, scripts: Path) -> None:
    """Takes everything from everybody, as each one's own back end would; `scripts` are PostHog's, which it loads late."""
    allowed = {
        "Access_Control_Allow_Origin": request.headers.get("origin", "*"),
        "Access_Control_Allow_Credentials": "true",
        "Access_Control_Allow_Methods": "GET, POST, PUT",
        "Access_Control_Allow_Headers": request.headers.get("access-control-request-headers", "*"),
        "Cross_Origin_Resource_Policy": "cross-origin",
    }
    path = request.url.partition("?")[0]
    if request.method == "OPTIONS" or path == "/b":
        return handler.answer(204, **allowed)
    if path.endswith(".js"):
        script = scripts / Path(path).name
        known = script.exists()
        return handler.answer(
            200 if known else 404, script.read_bytes() if known else b"", "text/javascript", **allowed
        )
    reply = next((reply for part, reply in REPLIES.items() if part in path), {})
    if "/1/NRJS" in path:
        reply = {**reply, "app": {**reply["app"], "nrServerTime": int(time.time() * 1000)}}
    return handler.answer(200, json.dumps(reply).encode(), "application/json", **allowed)


def partner(handler: Handler, request: Request) -> None:
    if request.method == "OPTIONS":
        return handler.answer(403)
    return handler.answer(200, b'{"partner": true}', "application/json", Access_Control_Allow_Origin="*")
