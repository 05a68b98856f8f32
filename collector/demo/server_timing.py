"""Server-Timing: tell the browser which trace its request belongs to. A file to copy.

Wrap the whole application, so that this runs outside of OpenTelemetry's ASGI instrumentation: `app = ServerTiming(app)`.
A page asked for without `traceparent` gets a new trace, in which the browser's span is the root and the server's its
child: the browser learns both ids from `trace`. A request with `traceparent` (a fetch) learns the server's span from
`traceparent`. A reply that a cache may keep says nothing: it would tell the next reader somebody else's trace.
"""

import re
import secrets

from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FRESH = re.compile(r"public|immutable|(?:max-age|s-maxage)=0*[1-9]")


class ServerTiming:
    """`ratio` is the share of new page loads whose trace is sampled; the services behind follow it."""

    def __init__(self, app: ASGIApp, ratio: float = 1.0) -> None:
        self.app = app
        self.ratio = ratio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        offered = ""
        if "traceparent" not in headers:
            if not _is_document(headers):
                await self.app(scope, receive, send)
                return
            offered = self._new_traceparent()
            scope = {**scope, "headers": [*scope["headers"], (b"traceparent", offered.encode())]}

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry = f'trace;desc="{offered}"' if offered else _server_span()
                reply = MutableHeaders(scope=message)
                if entry and not _is_cacheable(reply):
                    reply.append("Server-Timing", entry)
            await send(message)

        await self.app(scope, receive, send_timed)

    def _new_traceparent(self) -> str:
        trace_id, browser_span_id = secrets.token_hex(16), secrets.token_hex(8)
        # The same rule as OpenTelemetry's TraceIdRatioBased: the trace id's lower half decides.
        sampled = int(trace_id[16:], 16) < self.ratio * 2**64
        return f"00-{trace_id}-{browser_span_id}-{sampled:02x}"


def _is_document(headers: Headers) -> bool:
    # Browsers send Sec-Fetch-Dest over https and to loopback only: https://w3c.github.io/webappsec-fetch-metadata/
    destination = headers.get("sec-fetch-dest")
    return destination == "document" if destination else "text/html" in headers.get("accept", "")


def _is_cacheable(reply: MutableHeaders) -> bool:
    control = reply.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return False
    # Without Cache-Control a cache may guess from Last-Modified: RFC 9111, section 4.2.2
    return bool(_FRESH.search(control)) or "expires" in reply or (not control and "last-modified" in reply)


def _server_span() -> str:
    # OpenTelemetry's middleware calls send() inside of its server span, so that span is the current one here.
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f'traceparent;desc="00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"'
