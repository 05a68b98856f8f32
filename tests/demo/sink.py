"""A collector seen from outside: takes OTLP and keeps the spans, hands out an empty snippet, swallows beacons."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVER, CLIENT = 2, 3


class Span(NamedTuple):
    service: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    name: str


class Sink:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.headers: list[dict[str, str]] = []
        sink = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                if self.path == "/v1/traces":
                    sink.headers.append({name.lower(): value for name, value in self.headers.items()})
                    sink.spans += read_spans(body)
                self.answer()

            def do_GET(self) -> None:
                self.answer()

            def answer(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def trace(self, trace_id: str, services: set[str]) -> list[Span]:
        """The spans of a trace, once a server span of each of `services` has come and no parent but the browser's lacks.

        Services export by themselves, and a child may well come before its parent.
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [span for span in self.spans if span.trace_id == trace_id]
            absent = {span.parent_id for span in found} - {span.span_id for span in found}
            if services <= {span.service for span in found if span.kind == SERVER} and len(absent) == 1:
                return found
            time.sleep(0.05)
        raise AssertionError(f"trace {trace_id}: only {found}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def read_spans(body: bytes) -> list[Span]:
    return [
        Span(service, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.kind, span.name)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for service in [next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")]
        for scope in resource.scope_spans
        for span in scope.spans
    ]
