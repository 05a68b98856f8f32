"""Telemetry: one service's OpenTelemetry SDK, set up the way its documentation says.

`start()` gives spans a name and a way out (OTLP/HTTP, protobuf, batched); the returned function flushes them at the
end. A collector that is away costs the shop one log line, no request's time, and at most two seconds on leaving.
"""

import logging
import os
from collections.abc import Callable, Sequence
from threading import Timer

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

_log = logging.getLogger(__name__)

# The SDK warns at every attempt (`opentelemetry.exporter`) and at a full queue (`…_shared_internal`); _Exporter says
# it once.
_TALKATIVE = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal")
_EXPORT_TIMEOUT_S = 3
_FLUSH_S = 2


class _Exporter(SpanExporter):
    """Passes spans on and reports only that delivery broke or healed."""

    def __init__(self, url: str) -> None:
        token = os.environ.get("FARSIDE_OTLP_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self._url = url
        self._otlp = OTLPSpanExporter(endpoint=url, headers=headers, timeout=_EXPORT_TIMEOUT_S)
        self._delivered = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._otlp.export(spans)
        delivered = result is SpanExportResult.SUCCESS
        if delivered != self._delivered:
            self._delivered = delivered
            _log.warning("Spans reach %s again." if delivered else "Spans do not reach %s and are dropped.", self._url)
        return result

    def shutdown(self) -> None:
        self._otlp.shutdown()  # type: ignore[no-untyped-call]


def start(service: str, release: str, collector: str) -> Callable[[], None]:
    """Trace this process as `service` into `collector`; the result sends what is left and stops."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    exporter = _Exporter(f"{collector}/v1/traces")
    resource = Resource.create({"service.name": service, "service.version": release})
    provider = TracerProvider(resource=resource)
    # One second instead of five: whoever tries the demo wants to see the trace of the page just opened.
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()
    SQLite3Instrumentor().instrument()
    return lambda: _stop(provider, exporter)


def _stop(provider: TracerProvider, exporter: _Exporter) -> None:
    # The batch worker retries through its own shutdown; only a closed exporter makes it give up.
    hurry = Timer(_FLUSH_S, exporter.shutdown)
    hurry.daemon = True
    hurry.start()
    provider.shutdown()
    hurry.cancel()
