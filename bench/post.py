"""A post office between backends and collector: it forwards spans, some late, and throws some away; and keeps the books."""

import asyncio
import gzip
import random
import threading
import time
import urllib.request
from dataclasses import dataclass, field

import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import free_port, wait_until


@dataclass
class Post:
    """Forwards to `url`. Of all spans a share is `late`, by up to `late_s`, and a share `lost`."""

    url: str
    rng: random.Random
    late: float = 0.1
    lost: float = 0.05
    late_s: float = 60.0
    thrown_away: set[str] = field(default_factory=set)  # "<trace> <parent>" of every span that was
    delivered: int = 0
    delayed: int = 0

    def __post_init__(self) -> None:
        post = self
        self._lock = threading.Lock()
        self._waiting: list[threading.Thread] = []

        async def window(request: Request) -> Response:
            await asyncio.to_thread(post.take, await request.body(), request.headers.get("content-encoding", ""))
            return Response(media_type="application/x-protobuf")

        app = Starlette(routes=[Route("/v1/traces", window, methods=["POST"])])
        self._port = free_port()
        self._server = uvicorn.Server(
            uvicorn.Config(app, port=self._port, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started)

    @property
    def address(self) -> str:
        """Where backends send to."""
        return f"http://127.0.0.1:{self._port}/v1/traces"

    def take(self, body: bytes, encoding: str) -> None:
        """Sort one request's spans: now, later, never."""
        body = gzip.decompress(body) if encoding == "gzip" else body
        with self._lock:
            request = ExportTraceServiceRequest.FromString(body)
            later = ExportTraceServiceRequest.FromString(body)
            for now_group, late_group in zip(request.resource_spans, later.resource_spans, strict=True):
                for now_scope, late_scope in zip(now_group.scope_spans, late_group.scope_spans, strict=True):
                    fates = [self._fate() for _ in now_scope.spans]
                    for span, fate in zip(now_scope.spans, fates, strict=True):
                        if fate == "never":
                            self.thrown_away.add(f"{span.trace_id.hex()} {span.parent_span_id.hex()}")
                    for scope, kept in ((now_scope, "now"), (late_scope, "later")):
                        spans = [span for span, fate in zip(scope.spans, fates, strict=True) if fate == kept]
                        del scope.spans[:]
                        scope.spans.extend(spans)
                    self.delivered += fates.count("now")
                    self.delayed += fates.count("later")
            wait_s = self.rng.uniform(0, self.late_s)
        self._forward(request, 0)
        thread = threading.Thread(target=self._forward, args=(later, wait_s), daemon=True)
        thread.start()
        self._waiting.append(thread)

    def close(self) -> None:
        """Until all that is late has been delivered."""
        for thread in self._waiting:
            thread.join(self.late_s + 30)
        self._server.should_exit = True
        self._thread.join(20)

    def _fate(self) -> str:
        number = self.rng.random()
        return "never" if number < self.lost else "later" if number < self.lost + self.late else "now"

    def _forward(self, request: ExportTraceServiceRequest, wait_s: float) -> None:
        time.sleep(wait_s)
        headers = {"content-type": "application/x-protobuf"}
        urllib.request.urlopen(
            urllib.request.Request(self.url, request.SerializeToString(), headers), timeout=30
        ).close()
