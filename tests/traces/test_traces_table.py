"""Spans that an OpenTelemetry Collector wrote are read where they lie; and ours are shown whole by those who read its table.

The queries of Grafana's ClickHouse data source and of Jaeger's ClickHouse storage are what these programs ask the
exporter's table; what counts here is that ours answers them.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.query.joins import joined
from collector.query.question import Question
from collector.query.search import Wanted, traces_found
from collector.query.services import services
from collector.query.trace import session_traces, span_details, trace_pairs, trace_spans
from collector.settings import BadSettings, Settings
from collector.store import Store
from tests.pages.conftest import now_in_ms, open_store
from tests.traces.planted import MIN, a_span, a_view, spans_line, to_bytes

# As OpenTelemetry's exporter for ClickHouse makes it (the columns; its codecs and indexes do not matter here):
# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
THEIRS = """CREATE TABLE otel.otel_traces (Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String,
    TraceState String, SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
    SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String),
    StatusMessage String, Events Nested (Timestamp DateTime64(9), Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)), Links Nested (TraceId String, SpanId String, TraceState String,
    Attributes Map(LowCardinality(String), String)))
    ENGINE = MergeTree ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))"""


@dataclass
class Planted:
    store: Store
    question: Question
    view: dict[str, Any]
    spans: list[dict[str, Any]]


def plant(store: Store) -> Planted:
    now = now_in_ms()
    page = {"type": "view", "at": 0.0, "duration_ms": 900.0, "span_id": "d" * 16, "trace_source": "server-timing"}
    view = a_view(now - 5 * MIN, page, {}, view_span_id="d" * 16)
    web = a_span(view, view["events"][1]["span_id"], view["base_at"] + 1_010, 60)
    sql = a_span(view, web["span_id"], view["base_at"] + 1_020, 20, service="db", kind="Client", name="SELECT",
                 attributes={"db.system.name": "mysql", "db.query.text": "SELECT 1"},
                 links=[{"trace_id": "9" * 32, "span_id": "8" * 16, "trace_state": "", "attributes": {"why": "queued"}}],
                 events=[{"timestamp_ns": int(view["base_at"] * 1e6), "name": "retry", "attributes": {}}])  # fmt: skip
    store.insert(to_bytes(view, spans_line(now - 4 * MIN, web, sql)), secrets.token_hex(8))
    return Planted(store, Question("demo", datetime.fromtimestamp(now / 1000, UTC)), view, [web, sql])


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """The backends' spans in a table of an OpenTelemetry Collector, and in no other."""
    store = open_store(tmp_path_factory.mktemp("theirs"))
    planted = plant(store)
    columns = "* EXCEPT (received_at)"
    for statement in (
        "CREATE DATABASE otel", THEIRS,
        f"INSERT INTO otel.otel_traces SELECT {columns} FROM otel_traces WHERE ServiceName != 'browser'",
        "ALTER TABLE otel_traces DELETE WHERE ServiceName != 'browser' SETTINGS mutations_sync = 2",
    ):  # fmt: skip
        with store._writing:
            store._ready().command(statement)
    yield planted
    store.close()


def test_without_the_setting_nothing_of_theirs_is_read(moved: Planted) -> None:
    assert joined(moved.store, moved.question).all.misses == {"dark": 2}


def test_their_spans_are_joined_where_they_lie(moved: Planted) -> None:
    moved.store.traces_table = "otel.otel_traces"
    try:
        trace_id, q = moved.view["trace_id"], moved.question
        spans = trace_spans(moved.store, q, trace_id)
        assert [span.service for span in spans] == ["browser", "browser", "web", "db"]
        (details,) = span_details(moved.store, q, trace_id, [moved.spans[1]["span_id"]])
        assert details.attributes["db.system.name"] == "mysql"
        assert details.links == [("9" * 32, "8" * 16)]
        assert joined(moved.store, q).all.joined == 1
        traces = session_traces(moved.store, q, moved.view["session_id"], moved.question.at)
        assert len(trace_pairs(moved.store, q, traces)) == 1
        assert traces_found(moved.store, q, Wanted(service="db")).traces == 1
        assert {(e.source, e.target) for e in services(moved.store, q).edges} == {
            ("browser", "web"), ("web", "db"), ("db", "mysql"),
        }  # fmt: skip
    finally:
        moved.store.traces_table = ""


@pytest.mark.parametrize("name", ["otel traces", "a.b.c", "x; DROP TABLE y", "(SELECT 1)", "a-b", "1a", "a."])
def test_a_table_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadSettings, match="is not the name of a table"):
        Store.of(Settings(traces_table=name))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, moved: Planted) -> Planted:
    """The same in our own table: chDB has one folder in a process, so another trace of the same store."""
    return plant(moved.store)


def test_grafana_shows_the_trace_whole(ours: Planted) -> None:
    """What Grafana's ClickHouse data source asks for a trace by its id, in OpenTelemetry mode."""
    rows = ours.store.read(
        """WITH '{t}' AS trace_id,
            (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
            (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
        SELECT TraceId AS traceID, SpanId AS spanID, ParentSpanId AS parentSpanID, ServiceName AS serviceName,
            SpanName AS operationName, Timestamp AS startTime, multiply(Duration, 0.000001) AS duration,
            arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)) AS tags,
            arrayMap(key -> map('key', key, 'value', ResourceAttributes[key]), mapKeys(ResourceAttributes)) AS serviceTags,
            if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode,
            arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)),
                arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))),
                Events.Name, Events.Timestamp, Events.Attributes) AS logs,
            arrayMap((traceID, spanID, attributes) -> tuple(traceID, spanID,
                arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))),
                Links.TraceId, Links.SpanId, Links.Attributes) AS references
        FROM otel_traces
        WHERE traceID = trace_id AND startTime >= trace_start AND startTime <= trace_end
        LIMIT 1000""".replace("{t}", ours.view["trace_id"])
    )
    by_id = {row["spanID"]: row for row in rows}
    web, sql = ours.spans
    assert len(rows) == 4
    assert [row["spanID"] for row in rows if not row["parentSpanID"]] == ["d" * 16], "the browser is the root"
    assert all(row["parentSpanID"] in by_id for row in rows if row["parentSpanID"])
    assert by_id[web["span_id"]]["duration"] == pytest.approx(60)
    assert {"key": "db.system.name", "value": "mysql"} in by_id[sql["span_id"]]["tags"]
    assert by_id[sql["span_id"]]["logs"][0][0] == "retry"
    assert by_id[sql["span_id"]]["references"][0][:2] == ("9" * 32, "8" * 16)


def test_the_exporters_own_lookup_finds_the_trace(ours: Planted) -> None:
    """The query by trace id that the exporter's documentation gives; Jaeger's plugins over this table ask the same."""
    rows = ours.store.read(
        """WITH '{t}' AS trace_id,
            (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS start,
            (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS end
        SELECT Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, Duration, StatusCode,
            StatusMessage, toString(SpanAttributes) AS attributes, toString(ResourceAttributes) AS resource,
            toString(`Events.Name`) AS events, toString(`Links.TraceId`) AS links
        FROM otel_traces WHERE TraceId = trace_id AND Timestamp >= start AND Timestamp <= end
        ORDER BY Timestamp""".replace("{t}", ours.view["trace_id"])
    )
    assert [row["ServiceName"] for row in rows] == ["browser", "browser", "web", "db"]
    assert [row["SpanKind"] for row in rows] == ["Internal", "Client", "Server", "Client"]
    found = ours.store.read(
        "SELECT DISTINCT ServiceName, SpanName FROM otel_traces WHERE TraceId = {t:String} ORDER BY ServiceName, SpanName",
        {"t": ours.view["trace_id"]},
    )
    assert [row["SpanName"] for row in found] == ["GET /api/x", "view /list", "SELECT", "GET /api/x"]
