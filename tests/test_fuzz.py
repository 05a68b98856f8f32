"""Ten thousand bodies that were bent on the way: every one has a named end, none is a 5xx, and none hurts a neighbour.

A seeded mutator bends golden beacons and real OTLP requests, as text, as bytes and as trees. Between them go valid ones,
which must all be in the store; and the ledger must add up to exactly what was sent.
"""

import base64
import copy
import gzip
import http.client
import json
import random
import resource
import secrets
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from collector.outcomes import Outcome
from tests.conftest import GOLDEN, USER_AGENT, Running

SEED = 20_261_122
BEACONS = 9_000
OTLP = 3_000
VALID_EVERY = 40
WARM = 300
GROWTH_MIB = 60
WORDS = {str(outcome) for outcome in Outcome}
NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 2**16, 2**31, 2**32, 2**53, 2**63, 2**64, -(2**63), 10**400, 0.1, -0.0, 1e-320, 1e308,
    float("inf"), float("nan"), "", " ", "0", "1", "null", "\x00", "\r\n\r\n", "\u2028", "\ufeff", "\U0001f600", "\x7f",
    "a" * 65, "b" * 257, "c" * 2_049, "f" * 32, "0" * 32, "F" * 32, "g" * 16, "../../etc/passwd", "http://[", "//", "?#",
    "javascript:1", "{name:String}", "'; DROP TABLE lines; --", "\\N", "\\", '"', [], [[]], {}, {"": ""}, [None], {"a": {}},
]  # fmt: skip


class Sent(NamedTuple):
    """One request that will be made."""

    path: str
    body: bytes
    headers: dict[str, str]


class Mutator:
    """Bends JSON trees and bytes; the same seed bends the same way."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._bytewise: list[Callable[[bytearray], None]] = [
            self._flip, self._cut, self._insert, self._double, self._overwrite,
        ]  # fmt: skip

    def tree(self, tree: Any) -> Any:
        """A copy with one to three places changed: replaced, removed, doubled, renamed."""
        tree = copy.deepcopy(tree)
        for _ in range(self.chance.randint(1, 3)):
            self._change(tree)
        return tree

    def bytes_of(self, data: bytes) -> bytes:
        """A copy with one to four small wounds."""
        wounded = bytearray(data)
        for _ in range(self.chance.randint(1, 4)):
            self.chance.choice(self._bytewise)(wounded)
        return bytes(wounded)

    def _change(self, tree: Any) -> None:
        places = list(_places(tree))
        if not places:
            return
        parent, key = self.chance.choice(places)
        match self.chance.randrange(6):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[self.chance.choice(["", "type", "x" * 70, "\ud800", "v", "é"])] = parent.pop(key)
            case 2 if isinstance(parent, list):
                parent.extend(copy.deepcopy(parent[key]) for _ in range(self.chance.choice([1, 3, 40])))
            case 3:
                parent[key] = [parent[key]]
            case _:
                parent[key] = copy.deepcopy(self.chance.choice(NASTY))  # later changes may reach into it

    def _at(self, data: bytearray) -> int:
        return self.chance.randrange(len(data) + 1)

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)

    def _cut(self, data: bytearray) -> None:
        start = self._at(data)
        del data[start : start + self.chance.choice([1, 2, 9, len(data)])]

    def _insert(self, data: bytearray) -> None:
        start = self._at(data)
        data[start:start] = self.chance.choice(
            [b"\x00", b'"', b"\\", b"{", b"]", b"\xff", b"\\ud800", b"1e999", b"[" * 600]
        )

    def _double(self, data: bytearray) -> None:
        start = self._at(data)
        data[start:start] = data[start : start + self.chance.randint(1, 200)]

    def _overwrite(self, data: bytearray) -> None:
        start = self._at(data)
        data[start : start + 4] = self.chance.randbytes(4)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (parent, key) of a tree."""
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in list(keys):
        yield tree, key
        yield from _places(tree[key])


def fresh(golden: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A golden beacon that was never sent before."""
    now = time.time() * 1000
    ids = {"beacon_id": secrets.token_hex(16), "view_id": secrets.token_hex(16), "sent_at": now}
    return golden | ids | {"view_started_at": now - 3_000, "key": "demo"} | fields


def real_otlp() -> tuple[bytes, dict[str, Any]]:
    """One request as the SDK encodes it, and the same in OTLP's JSON."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("fuzz", "1")
    attributes = {"n": 3, "f": 0.5, "ok": True, "list": ["a", "b"], "text": "größer"}
    with (
        tracer.start_as_current_span("outer", attributes=attributes) as outer,
        tracer.start_as_current_span("inner") as inner,
    ):
        inner.add_event("row", {"k": "v"})
        inner.add_link(outer.get_span_context(), {"why": "fuzz"})
    spans: list[ReadableSpan] = list(kept.get_finished_spans())
    return encode_spans(spans).SerializeToString(), as_otlp_json(spans)


def as_otlp_json(spans: list[ReadableSpan]) -> dict[str, Any]:
    tree = MessageToDict(encode_spans(spans))
    for group in tree["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64decode(span[name]).hex()
                span["kind"] = 1
                for link in span.get("links", ()):
                    link.update({name: base64.b64decode(link[name]).hex() for name in ("traceId", "spanId")})
    return dict(tree)


def bent_beacon(mutator: Mutator, goldens: list[dict[str, Any]]) -> Sent:
    chance = mutator.chance
    beacon = fresh(chance.choice(goldens))
    if chance.random() < 0.6:
        beacon = mutator.tree(beacon)
    body = json.dumps(beacon, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.5:
        body = mutator.bytes_of(body)
    headers = {
        "Origin": chance.choice(["http://localhost"] * 8 + ["null", "https://elsewhere.example", "\xe9", "http://"])
    }
    match chance.randrange(20):
        case 0:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        case 1:
            body, headers["Content-Encoding"] = zlib.compress(body), "deflate"
        case 2:
            body, headers["Content-Encoding"] = mutator.bytes_of(gzip.compress(body)), "gzip"
        case 3:
            body, headers["Content-Encoding"] = mutator.bytes_of(zlib.compress(body)), "deflate"
        case 4:
            headers["Content-Encoding"] = chance.choice(["br", "identity", "", "gzip, gzip", "\xff", "gzip"])
    return Sent("/b", body, headers)


def bent_otlp(mutator: Mutator, wire: bytes, tree: dict[str, Any]) -> Sent:
    chance = mutator.chance
    if chance.random() < 0.5:
        return Sent("/v1/traces", mutator.bytes_of(wire), {"Content-Type": "application/x-protobuf"})
    body = json.dumps(mutator.tree(tree)).encode()
    if chance.random() < 0.3:
        body = mutator.bytes_of(body)
    return Sent("/v1/traces", body, {"Content-Type": "application/json"})


class Sender:
    """One keep-alive connection, and the sums of what went in and what was answered."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.replies: Counter[str] = Counter()
        self.events_acknowledged = 0
        self.events_refused = 0
        self.spans_acknowledged = 0
        self.spans_refused = 0

    def close(self) -> None:
        self._connection.close()

    def send(self, sent: Sent) -> http.client.HTTPResponse:
        headers = {name: value.encode("latin-1") for name, value in sent.headers.items()}
        self._connection.request("POST", sent.path, sent.body, {"User-Agent": USER_AGENT, **headers})
        reply = self._connection.getresponse()
        body = reply.read()
        request = f"{sent.path} {sent.headers} {base64.b64encode(sent.body).decode()}"
        assert reply.status < 500, f"{reply.status} {body!r} for {request}"
        if reply.status == 200:
            self._count_spans(sent, body)
            return reply
        outcome = reply.headers.get("X-Farside", "")
        assert outcome in WORDS, f"{reply.status} without a name for {request}"
        assert reply.status == Outcome(outcome).status
        self.replies[outcome] += 1
        if reply.status == 204:
            refused = int(reply.headers.get("X-Farside-Refused", 0))
            self.events_refused += refused
            self.events_acknowledged += len(json.loads(as_text(inflated(sent)))["events"]) - refused
        return reply

    def _count_spans(self, sent: Sent, body: bytes) -> None:
        assert sent.path == "/v1/traces"
        if sent.headers["Content-Type"] == "application/json":
            reply = ParseDict(json.loads(body), ExportTraceServiceResponse())
            spans = spans_in(json.loads(as_text(sent.body)))
        else:
            reply = ExportTraceServiceResponse.FromString(body)
            request = ExportTraceServiceRequest.FromString(sent.body)
            spans = sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans)
        self.spans_refused += reply.partial_success.rejected_spans
        self.spans_acknowledged += spans - reply.partial_success.rejected_spans


def spans_in(tree: Any) -> int:
    return sum(
        len(scope.get("spans") or ())
        for group in tree.get("resourceSpans") or ()
        for scope in group.get("scopeSpans") or ()
    )


def as_text(body: bytes) -> str:
    """What is no UTF-8 may stand where nobody reads it, in a field that is unknown or an event that is refused."""
    return body.decode("utf-8", "replace")


def inflated(sent: Sent) -> bytes:
    packed = sent.headers.get("Content-Encoding", "") in ("gzip", "deflate")
    return zlib.decompressobj(47).decompress(sent.body) if packed else sent.body


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def test_bent_bodies_have_a_named_end_and_hurt_nobody(collector: Running) -> None:
    mutator = Mutator(SEED)
    goldens = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))]
    wire, tree = real_otlp()
    plan = ["beacon"] * BEACONS + ["otlp"] * OTLP
    mutator.chance.shuffle(plan)
    valid: dict[str, int] = {}
    with closing(Sender(collector.port)) as sender:

        def send_valid() -> None:
            beacon = fresh(mutator.chance.choice(goldens))
            reply = sender.send(Sent("/b", json.dumps(beacon).encode(), {"Origin": "http://localhost"}))
            assert (reply.status, reply.headers.get("X-Farside-Refused")) == (204, None)
            valid[beacon["view_id"]] = len(beacon["events"])

        for _ in range(WARM):
            send_valid()
        collector.settled()
        before = resident_mib(collector.process.pid)
        for number, kind in enumerate(plan):
            sender.send(bent_beacon(mutator, goldens) if kind == "beacon" else bent_otlp(mutator, wire, tree))
            if number % VALID_EVERY == 0:
                send_valid()
    collector.settled()
    grown = resident_mib(collector.process.pid) - before
    print(f"{dict(sender.replies)}, {sender.spans_acknowledged} spans kept, {grown:.0f} MiB grown")
    stored = {row["v"]: row["n"] for row in collector.rows("SELECT view_id AS v, count() AS n FROM events GROUP BY v")}
    assert {view: stored.get(view) for view in valid} == valid
    assert "Traceback" not in collector.log
    assert grown < GROWTH_MIB
    compare_ledger(collector, sender)


def compare_ledger(collector: Running, sender: Sender) -> None:
    """Every request and every event of it stands in the ledger, once, under the word its sender was told."""
    ledger: Counter[str] = Counter()
    for (_, outcome), n in collector.ledger().items():
        ledger[outcome] += n
    assert {"torn", "quarantined", "spool_failed"} & ledger.keys() == set()
    unread = ("bad_json", "bad_version", "bad_beacon", "bad_encoding", "too_large", "bad_otlp")
    assert {word: ledger[word] for word in unread} == {word: sender.replies[word] for word in unread}
    assert min(sender.replies[word] for word in ("stored", "bad_json", "bad_beacon", "bad_encoding", "bad_otlp")) > 50
    assert ledger["stored"] + ledger["repeat"] == sender.events_acknowledged + sender.spans_acknowledged
    singly = ("event_invalid", "event_unknown_type", "event_over_limit")
    assert sum(ledger[word] for word in singly) == sender.events_refused
    assert ledger["span_invalid"] + ledger["span_out_of_time"] == sender.spans_refused
    # These are counted in events, at least one for a request.
    for word in ("no_event", "origin_refused", "unknown_key"):
        assert ledger[word] >= sender.replies[word]
    told = {word for word in sender.replies if word != "stored"}
    known = {*told, "stored", "repeat", *singly, "span_invalid", "span_out_of_time"}
    assert {word for word in ledger if not word.startswith("client_")} <= known
