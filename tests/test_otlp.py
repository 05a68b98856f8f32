"""Backend spans: the real SDK's exporter, the specification's JSON, and what is refused."""

import gzip
import json
import time
from typing import Any

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.conftest import Reply, Running, send


def a_span(**fields: Any) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /", "kind": 2,
        "startTimeUnixNano": str(now - 10**9), "endTimeUnixNano": str(now),
    } | fields  # fmt: skip


def post_json(collector: Running, *spans: dict[str, Any], **headers: str) -> Reply:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "api"}}]}
    tree = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "hand"}, "spans": spans}]}]}
    return send(f"{collector.url}/v1/traces", json.dumps(tree).encode(), content_type="application/json", **headers)


def test_the_python_sdk_exports_unmodified(shared_collector: Running) -> None:
    exporter = OTLPSpanExporter(f"{shared_collector.url}/v1/traces", compression=Compression.Gzip)
    provider = TracerProvider(resource=Resource({"service.name": "checkout", "service.version": "7"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test", "1.2")
    with (
        tracer.start_as_current_span(
            "pay", kind=SpanKind.SERVER, attributes={"n": 3, "ok": True, "l": [1, 2]}
        ) as outer,
        tracer.start_as_current_span("db") as inner,
    ):
        inner.add_event("row", {"k": "v"})
        inner.set_status(Status(StatusCode.ERROR, "no rows"))
    provider.shutdown()
    shared_collector.settled()
    trace = f"{outer.get_span_context().trace_id:032x}"
    rows = shared_collector.rows("SELECT * FROM otel_traces WHERE TraceId = {t:String} ORDER BY SpanName", t=trace)
    db, pay = rows
    assert (pay["SpanName"], pay["SpanKind"], pay["ServiceName"], pay["ParentSpanId"]) == (
        "pay",
        "Server",
        "checkout",
        "",
    )
    assert pay["SpanAttributes"] == {"n": "3", "ok": "true", "l": "[1, 2]"}
    assert (db["ParentSpanId"], db["StatusCode"], db["StatusMessage"]) == (pay["SpanId"], "Error", "no rows")
    assert (db["Events.Name"], db["Events.Attributes"]) == (["row"], [{"k": "v"}])
    assert (pay["ScopeName"], pay["ScopeVersion"], pay["ResourceAttributes"]["service.version"]) == ("test", "1.2", "7")
    assert (
        shared_collector.value("SELECT count() FROM otel_traces_trace_id_ts WHERE TraceId = {t:String}", t=trace) == 1
    )


def test_json_as_the_specification_spells_it(shared_collector: Running) -> None:
    reply = post_json(shared_collector, a_span(traceId="a" * 32, parentSpanId="b" * 16))
    assert (reply.status, json.loads(reply.body)) == (200, {"partialSuccess": {}})
    shared_collector.settled()
    (row,) = shared_collector.rows("SELECT * FROM otel_traces WHERE TraceId = {t:String}", t="a" * 32)
    assert (row["ServiceName"], row["SpanKind"], row["ParentSpanId"], row["Duration"]) == (
        "api",
        "Server",
        "b" * 16,
        10**9,
    )


def test_partial_success_names_what_was_refused(shared_collector: Running) -> None:
    now = time.time_ns()
    old = {"startTimeUnixNano": str(now - 8 * 86_400 * 10**9), "endTimeUnixNano": str(now)}
    ahead = {"startTimeUnixNano": str(now + 2 * 86_400 * 10**9), "endTimeUnixNano": str(now + 3 * 86_400 * 10**9)}
    backwards = {"endTimeUnixNano": "5"}
    reply = post_json(
        shared_collector,
        a_span(traceId="c" * 32),
        a_span(**old),
        a_span(**ahead),
        a_span(**backwards),
        a_span(traceId="0" * 32),
        a_span(spanId="ab"),
    )
    partial = json.loads(reply.body)["partialSuccess"]
    assert (reply.status, partial["rejectedSpans"]) == (200, "5")
    assert "span_out_of_time" in partial["errorMessage"]
    shared_collector.settled()
    assert shared_collector.value("SELECT count() FROM otel_traces WHERE TraceId = {t:String}", t="c" * 32) == 1
    ledger = shared_collector.ledger()
    assert (ledger["", "span_out_of_time"], ledger["", "span_invalid"]) == (2, 3)


def test_bodies_that_are_no_request(shared_collector: Running) -> None:
    url = f"{shared_collector.url}/v1/traces"
    no_hex = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}'
    protobuf, spelled = "application/x-protobuf", "application/json"
    endless = [
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [a_span(kind=0)]}]}]}).replace('"kind": 0', odd)
        for odd in ('"kind": Infinity', '"kind": 1e999', '"kind": -Infinity')
    ]
    cases = [(b"\xff\xff\xff", protobuf), (b"[]", spelled), (b"{", spelled), (no_hex, spelled)]
    for body, kind in [*cases, *((text.encode(), spelled) for text in endless)]:
        reply = send(url, body, content_type=kind)
        assert (reply.status, reply.outcome) == (400, "bad_otlp"), body
    assert send(url, gzip.compress(bytes(20 << 20)), content_encoding="gzip").status == 413
    empty = send(url, b"", content_type="application/x-protobuf")
    assert (empty.status, ExportTraceServiceResponse.FromString(empty.body).partial_success.rejected_spans) == (200, 0)


def test_half_a_character_costs_that_character_only(shared_collector: Running) -> None:
    """JavaScript's strings may end in half of a surrogate pair, and its JSON then says so."""
    half = [{"key": "cut \ud83d", "value": {"stringValue": "cut \ud83d"}}]
    odd = {"\ud800": 1, "name": "\ud83d\ude00 whole, half \ude00"}
    reply = post_json(shared_collector, a_span(traceId="d" * 32, attributes=half, **odd))
    assert (reply.status, json.loads(reply.body)) == (200, {"partialSuccess": {}})
    shared_collector.settled()
    (row,) = shared_collector.rows("SELECT * FROM otel_traces WHERE TraceId = {t:String}", t="d" * 32)
    assert (row["SpanName"], row["SpanAttributes"]) == ("😀 whole, half \ufffd", {"cut \ufffd": "cut \ufffd"})


def test_a_token_is_asked_for_when_one_is_set(spawn: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("FARSIDE_OTLP_TOKEN", "s3cret")
    collector = spawn()
    assert post_json(collector, a_span()).outcome == "bad_token"
    assert post_json(collector, a_span(), authorization="Bearer wrong").status == 401
    assert post_json(collector, a_span(), authorization="Bearer s3cret").status == 200
