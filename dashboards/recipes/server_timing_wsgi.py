"""Server-Timing for Flask, Django and everything else of WSGI: tell the browser which trace its request belongs to.

Wrap the whole application, so that this runs outside of OpenTelemetry's instrumentation:

    app.wsgi_app = ServerTiming(app.wsgi_app)                    # Flask, after FlaskInstrumentor().instrument_app(app)
    application = ServerTiming(get_wsgi_application())           # Django, in wsgi.py
    MIDDLEWARE = ["server_timing_wsgi.remember_server_span"]     # Django, in settings.py, anywhere in the list

A page asked for without `traceparent` gets a new trace, in which the browser's span is the root and the server's its
child: the browser learns both ids from `trace`. A request with `traceparent` (a fetch) learns the server's span from
`traceparent`. A reply that a cache may keep says nothing: it would tell the next reader somebody else's trace.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry import trace

_FRESH = re.compile(r"public|immutable|(?:max-age|s-maxage)=0*[1-9]")
_SPAN = "server_timing.span"


class ServerTiming:
    """`ratio` is the share of new page loads whose trace is sampled; the services behind follow it."""

    def __init__(self, app: Callable[..., Iterable[bytes]], ratio: float = 1.0) -> None:
        self.app = app
        self.ratio = ratio

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI entry."""
        offered = ""
        if "HTTP_TRACEPARENT" not in environ:
            if not _is_document(environ):
                return self.app(environ, start_response)
            offered = self._new_traceparent()
            environ["HTTP_TRACEPARENT"] = offered

        def start_timed(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            entry = f'trace;desc="{offered}"' if offered else environ.get(_SPAN) or _server_span()
            if entry and not _is_cacheable({name.lower(): value.lower() for name, value in headers}):
                headers = [*headers, ("Server-Timing", entry)]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self.app(environ, start_timed)

    def _new_traceparent(self) -> str:
        trace_id, browser_span_id = secrets.token_hex(16), secrets.token_hex(8)
        # The same rule as OpenTelemetry's TraceIdRatioBased: the trace id's lower half decides.
        sampled = int(trace_id[16:], 16) < self.ratio * 2**64
        return f"00-{trace_id}-{browser_span_id}-{sampled:02x}"


def remember_server_span(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware of Django, whose instrumentation has let go of its span before the reply's headers leave."""

    def remember(request: Any) -> Any:
        request.META[_SPAN] = _server_span()
        return get_response(request)

    return remember


def _is_document(environ: dict[str, Any]) -> bool:
    # Browsers send Sec-Fetch-Dest over https and to loopback only: https://w3c.github.io/webappsec-fetch-metadata/
    destination = environ.get("HTTP_SEC_FETCH_DEST")
    return destination == "document" if destination else "text/html" in environ.get("HTTP_ACCEPT", "")


def _is_cacheable(reply: dict[str, str]) -> bool:
    control = reply.get("cache-control", "")
    if "no-store" in control or "no-cache" in control:
        return False
    # Without Cache-Control a cache may guess from Last-Modified: RFC 9111, section 4.2.2
    return bool(_FRESH.search(control)) or "expires" in reply or (not control and "last-modified" in reply)


def _server_span() -> str:
    span = trace.get_current_span().get_span_context()
    return (
        f'traceparent;desc="00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"'
        if span.is_valid
        else ""
    )
