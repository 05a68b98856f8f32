"""An OpenTelemetry Collector may write its spans straight into our tables: they are taken, and joined to the view."""

import json
import secrets
import time

from tests.conftest import Running, a_beacon

# The columns of its ClickHouse exporter's INSERT, in its order.
# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName",
    "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode", "StatusMessage",
    "Events.Timestamp", "Events.Name", "Events.Attributes",
    "Links.TraceId", "Links.SpanId", "Links.TraceState", "Links.Attributes",
)  # fmt: skip


def test_spans_of_the_exporter_are_joined_to_the_view_that_caused_them(shared_collector: Running) -> None:
    trace, fetch, server, database = secrets.token_hex(16), *(secrets.token_hex(8) for _ in range(3))
    now = time.time()
    beacon = a_beacon(
        {"type": "view", "duration_ms": 900},
        {"type": "fetch", "at": 100, "name": "GET", "url": "/api/things", "duration_ms": 300, "span_id": fetch,
         "status_code": 200},
        trace_id=trace,
    )  # fmt: skip
    assert shared_collector.post(beacon).status == 204
    sql = (
        f"INSERT INTO farside.otel_traces ({', '.join(COLUMNS)}) VALUES"
        f" (fromUnixTimestamp64Nano({int((now - 1.85) * 1e9)}), '{trace}', '{server}', '{fetch}', '', 'GET /api/things',"
        " 'Server', 'shop-web', {'service.name': 'shop-web'}, 'lib', '1', {'http.route': '/api/things'}, 250000000,"
        " 'Unset', '', [fromUnixTimestamp64Nano(1790000000000000000)], ['retry'], [{'n': '1'}], [], [], [], []),"
        f" (fromUnixTimestamp64Nano({int((now - 1.84) * 1e9)}), '{trace}', '{database}', '{server}', '', 'SELECT things',"
        " 'Client', 'shop-web', {}, '', '', {}, 100000000, 'Unset', '', [], [], [], [], [], [], [])"
    )
    shared_collector.rows(sql)
    shared_collector.wait_for("SELECT count() = 3 FROM otel_traces WHERE TraceId = {t:String}", t=trace)
    shared_collector.settled()
    found = json.loads(shared_collector.get(f"/traces/{trace}.json").body)
    text = json.dumps(found)
    assert "shop-web" in text
    assert "SELECT things" in text
    assert beacon["view_id"] in text
    (row,) = shared_collector.rows(
        "SELECT received_at > now() - INTERVAL 1 MINUTE AS is_fresh, Events.Name AS events FROM otel_traces"
        " WHERE SpanId = {s:String}",
        s=server,
    )
    assert row == {"is_fresh": 1, "events": ["retry"]}
    assert shared_collector.value("SELECT count() FROM otel_traces_trace_id_ts WHERE TraceId = {t:String}", t=trace)
    assert "shop-web" in shared_collector.get(f"/traces/{trace}").body.decode()
