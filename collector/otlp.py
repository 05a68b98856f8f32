"""OTLP: bytes from a backend → spans as the store keeps them, or `Refused`.

Reads `ExportTraceServiceRequest` in protobuf and in OTLP's JSON (ids in hex, enums as numbers). A span that cannot be
kept is counted and its neighbours live: OTLP calls that partial success. The rows are what OpenTelemetry's ClickHouse
exporter would have written.
"""

import base64
import json
from collections.abc import Iterable
from typing import Any

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from collector.outcomes import Outcome, Refused

DAY_NS = 86_400 * 10**9
OLDEST_NS, NEWEST_NS = 7 * DAY_NS, 1 * DAY_NS
KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUSES = ("Unset", "Ok", "Error")


class SpanEvent(msgspec.Struct):
    """Something that happened within a span."""

    timestamp_ns: int
    name: str
    attributes: dict[str, str]


class SpanLink(msgspec.Struct):
    """Another span this one was caused by."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, str]


class Span(msgspec.Struct, omit_defaults=True):
    """One backend span; times in nanoseconds since 1970 by the backend's clock."""

    timestamp_ns: int
    trace_id: str
    span_id: str
    name: str
    kind: str
    service: str
    duration_ns: int
    parent_span_id: str = ""
    trace_state: str = ""
    resource: dict[str, str] = {}
    scope_name: str = ""
    scope_version: str = ""
    attributes: dict[str, str] = {}
    status: str = "Unset"
    status_message: str = ""
    events: list[SpanEvent] = []
    links: list[SpanLink] = []


class Batch(msgspec.Struct):
    """What one request held: spans to keep, and how many were refused, by outcome."""

    spans: list[Span]
    refused: dict[Outcome, int]


def decode(body: bytes, *, is_json: bool, now_ns: int) -> Batch:
    """Bytes of one OTLP trace request → its spans; `now_ns` bounds how old or new one may be. Raises `Refused`."""
    request = _from_json(body) if is_json else _from_protobuf(body)
    batch = Batch([], {})
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope_spans in group.scope_spans:
            for span in scope_spans.spans:
                outcome = _refusal(span, now_ns)
                if outcome:
                    batch.refused[outcome] = batch.refused.get(outcome, 0) + 1
                else:
                    batch.spans.append(_span(span, resource, scope_spans.scope))
    return batch


def reply(batch: Batch, *, is_json: bool) -> bytes:
    """The body of a 200: empty success, or partial success with what was refused and why."""
    response = ExportTraceServiceResponse()
    if batch.refused:
        why = "; ".join(f"{n} × {outcome}: {outcome.meaning}" for outcome, n in batch.refused.items())
        response.partial_success.CopyFrom(
            ExportTracePartialSuccess(rejected_spans=sum(batch.refused.values()), error_message=why)
        )
    if not is_json:
        return bytes(response.SerializeToString())
    if not batch.refused:
        return b'{"partialSuccess":{}}'
    partial = response.partial_success
    # OTLP's JSON, like protobuf's, spells 64-bit integers as strings.
    return json.dumps(
        {"partialSuccess": {"rejectedSpans": str(partial.rejected_spans), "errorMessage": partial.error_message}}
    ).encode()


def _from_protobuf(body: bytes) -> ExportTraceServiceRequest:
    try:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
    except DecodeError as error:
        raise Refused(Outcome.BAD_OTLP, f"not protobuf: {error}") from None
    return request


def _from_json(body: bytes) -> ExportTraceServiceRequest:
    try:
        tree = _tree(body)
        for group in tree.get("resourceSpans", []):
            for scope in group.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    _hex_to_base64(span, "traceId", "spanId", "parentSpanId")
                    for link in span.get("links", []):
                        _hex_to_base64(link, "traceId", "spanId")
        request = ExportTraceServiceRequest()
        ParseDict(tree, request, ignore_unknown_fields=True)
    except (ValueError, OverflowError, ParseError, AttributeError, TypeError, RecursionError) as error:
        raise Refused(Outcome.BAD_OTLP, f"not OTLP JSON: {str(error)[:200]}") from None
    return request


def _tree(body: bytes) -> Any:
    """JSON of strings that are text: half of a surrogate pair, where JavaScript cut one, becomes U+FFFD.

    protobuf raises SystemError when such a half stands in a name, and refuses the whole request for one in a value.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        spelled = json.dumps(json.loads(body), ensure_ascii=False)
        return json.loads(spelled.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def _hex_to_base64(thing: dict[str, Any], *names: str) -> None:
    for name in names:
        if value := thing.get(name):
            thing[name] = base64.b64encode(bytes.fromhex(value)).decode()


def _refusal(span: ProtoSpan, now_ns: int) -> Outcome | None:
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or not any(span.trace_id) or not any(span.span_id):
        return Outcome.SPAN_INVALID
    if len(span.parent_span_id) not in (0, 8) or span.end_time_unix_nano < span.start_time_unix_nano:
        return Outcome.SPAN_INVALID
    if not now_ns - OLDEST_NS <= span.start_time_unix_nano <= now_ns + NEWEST_NS:
        return Outcome.SPAN_OUT_OF_TIME
    return None


def _span(span: ProtoSpan, resource: dict[str, str], scope: InstrumentationScope) -> Span:
    return Span(
        timestamp_ns=span.start_time_unix_nano,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        trace_state=span.trace_state,
        name=span.name,
        kind=KINDS[span.kind] if 0 <= span.kind < len(KINDS) else KINDS[0],
        service=resource.get("service.name", ""),
        resource=resource,
        scope_name=scope.name,
        scope_version=scope.version,
        attributes=_attributes(span.attributes),
        duration_ns=span.end_time_unix_nano - span.start_time_unix_nano,
        status=STATUSES[span.status.code] if 0 <= span.status.code < len(STATUSES) else STATUSES[0],
        status_message=span.status.message,
        events=[SpanEvent(_time(e.time_unix_nano), e.name, _attributes(e.attributes)) for e in span.events],
        links=[
            SpanLink(link.trace_id.hex(), link.span_id.hex(), link.trace_state, _attributes(link.attributes))
            for link in span.links
        ],
    )


def _time(ns: int) -> int:
    return min(ns, 2**63 - 1)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: _text(pair.value) for pair in pairs}


def _text(value: AnyValue) -> str:
    """Any value as the text OpenTelemetry's exporter would write: scalars plain, the rest as JSON."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case _:
            return ""
