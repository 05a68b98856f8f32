"""Spans lie a second time in the order of traces: a trace is read from there, and nobody who was erased is left there."""

import secrets
from datetime import UTC, datetime

import pytest

from collector.query.question import sql
from collector.store import Store
from collector.store.erase import Person
from tests.pages.conftest import now_in_ms
from tests.traces.planted import a_view, to_bytes

ONLY = {"force_optimize_projection": 1, "force_optimize_projection_name": "by_trace"}
MANY = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, received_at)
SELECT now64(), lower(hex(MD5(toString(intDiv(number, 20))))), lower(hex(sipHash64(number))),
    concat('op ', toString(number % 50)), 'web', now64() - 1
FROM numbers(200000)
"""
SPANS = "SELECT SpanId FROM otel_traces WHERE TraceId = {trace_id:String}"


def test_a_trace_of_many_operations_is_read_from_the_projection(store: Store) -> None:
    store.read(MANY)
    (one,) = store.read("SELECT lower(hex(MD5('7'))) AS trace_id")
    asked = one | {"until_ms": now_in_ms(), "limit": 1_000}
    assert len(store.read(sql("trace_spans"), asked, **ONLY)) == 20
    # Twenty operations are twenty places in the exporter's order, and one in that of traces.
    (found,) = store.read(f"EXPLAIN ESTIMATE {sql('trace_spans')}", asked)
    assert found["rows"] <= 8_192


@pytest.mark.parametrize("question", ["trace_pairs", "trace_summaries", "callers"])
def test_some_traces_are_read_from_the_projection(store: Store, question: str) -> None:
    store.read(MANY)
    (some,) = store.read("SELECT arrayMap(nr -> lower(hex(MD5(toString(nr * 7)))), range(3)) AS ids")
    asked = some | {"traces": some["ids"], "spans": [""], "until_ms": now_in_ms(), "limit": 1_000}
    (found,) = store.read(f"EXPLAIN ESTIMATE {sql(question)}", asked)
    assert found["rows"] <= 3 * 8_192


def test_a_sample_of_traces_lies_together(store: Store) -> None:
    store.read(MANY)
    times = {"since_ms": now_in_ms() - 60_000, "until_ms": now_in_ms(), "is_narrowed": 0, "nth": 64}
    sampled = sql("sampled").replace("/* scope */", "1")
    (found,) = store.read(
        f"SELECT count() AS spans, uniqExact(TraceId) AS traces FROM otel_traces {sampled}", times, **ONLY
    )
    assert found["spans"] == 20 * found["traces"]
    assert 0.5 < found["traces"] / (10_000 / 64) < 1.5
    (read,) = store.read(f"EXPLAIN ESTIMATE SELECT SpanId FROM otel_traces {sampled}", times)
    assert read["rows"] <= 16_384


def test_who_is_erased_is_gone_from_the_projection_too(store: Store) -> None:
    view, other = (a_view(now_in_ms() - 1_000, {}) for _ in range(2))
    store.insert(to_bytes(view, other), secrets.token_hex(8))
    asked = {"trace_id": view["trace_id"]}
    assert len(store.read(SPANS, asked)) == 1
    store.erase(Person("session", view["session_id"]), datetime.now(UTC))
    assert store.read(SPANS, asked) == []
    assert store.read(SPANS, asked, optimize_use_projections=0) == []
    assert len(store.read(SPANS, {"trace_id": other["trace_id"]})) == 1
    store.wipe()  # as at night
    (held,) = store.read("SELECT sum(rows) AS n FROM system.projection_parts WHERE active AND table = 'otel_traces'")
    assert held["n"] == 1
