"""Lines as the door would have spooled them: a view's requests, and what backends sent of them."""

import json
import secrets
from typing import Any

MIN = 60_000


def a_view(received_at: int, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One beacon's line: events without a `type` are fetches that carried their trace and began a second before."""
    began = more.pop("began", received_at - 2_000)
    return {
        "line_id": secrets.token_hex(16), "received_at": received_at, "app": "demo", "route": "/list", "url": "/list",
        "origin": "https://shop.example", "session_id": secrets.token_hex(16), "view_id": secrets.token_hex(16),
        "trace_id": secrets.token_hex(16), "view_span_id": secrets.token_hex(8), "view_started_at": began, "sample_n": 1,
        "base_at": began, "navigation": "navigate", "visibility": "visible",
        "events": [a_request(**event) if "type" not in event else event for event in events],
    } | more  # fmt: skip


def a_request(**more: Any) -> dict[str, Any]:
    return {
        "type": "fetch", "at": 1_000.0, "name": "GET", "url": "/api/x", "endpoint": "/api/x", "duration_ms": 100.0,
        "status_code": 200, "span_id": secrets.token_hex(8), "server_span_id": "", "trace_source": "header",
        "phases": {"request_ms": 90.0},
    } | more  # fmt: skip


def a_span(line: dict[str, Any], parent: str, start_ms: float, took_ms: float = 60.0, **more: Any) -> dict[str, Any]:
    service = more.get("service", "web")
    return {
        "timestamp_ns": int(start_ms * 1e6), "trace_id": line["trace_id"], "span_id": secrets.token_hex(8),
        "parent_span_id": parent, "name": "GET /api/x", "kind": "Server", "service": service,
        "resource": {"service.name": service, "host.name": more.pop("host", f"{service}-1")}, "attributes": {},
        "duration_ns": int(took_ms * 1e6), "status": "Unset",
    } | more  # fmt: skip


def spans_line(received_at: int, *spans: dict[str, Any]) -> dict[str, Any]:
    return {"line_id": secrets.token_hex(16), "received_at": received_at, "app": "demo", "spans": list(spans)}


def to_bytes(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
