"""How long it takes to erase a person from a store of a million events, embedded.

Usage: python -m bench.erase [--events 1000000]     prints JSON
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.store import Store
from collector.store.erase import Person

DAYS = 7
EVENTS = """
INSERT INTO events (app, type, event_id, received_at, timestamp, session_id, view_id, user_id, route, name, url, value,
    duration_ms, trace_id, span_id, attributes)
WITH intDiv(number, 60) AS session, intDiv(number, 12) AS view,
    now64(3, 'UTC') - toIntervalDay({day:UInt8}) - toIntervalMillisecond(number % 80000000) AS at
SELECT 'shop', ['view', 'vital', 'fetch', 'resource', 'error'][number % 5 + 1],
    concat(lower(hex(sipHash128(number, {day:UInt8}))), '.1'), at, at,
    lower(hex(sipHash128('s', session, {day:UInt8}))), lower(hex(sipHash128('v', view, {day:UInt8}))),
    if(number % 3 = 0, concat('user-', toString(session % 20000)), ''), concat('/r/', toString(number % 40)), 'GET',
    concat('/a/b/', toString(number % 1000)), number % 3000, number % 5000, lower(hex(sipHash128('t', view))),
    lower(hex(sipHash64(number))), map('plan', toString(number % 4))
FROM numbers({n:UInt64})
"""
SPANS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, received_at)
SELECT timestamp, trace_id, span_id, 'GET /x', 'Client', 'browser',
    map('session.id', session_id, 'service.namespace', 'shop'), map('farside.view_id', view_id), 1000, received_at
FROM events WHERE type = 'fetch'
"""


def main(events: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="farside-bench-") as folder:
        store = Store(f"chdb://{folder}/chdb", scratch=Path(folder) / "tmp")
        store.open()
        writer = store._writer
        assert writer
        for day in range(DAYS):
            writer.command(EVENTS, parameters={"day": day, "n": events // DAYS})
        writer.command(SPANS)
        took = []
        for nr in (77, 78, 79):
            began, cpu = time.perf_counter(), time.process_time()
            sessions, rows = store.erase(Person("user", f"user-{nr}"), datetime.now(UTC))
            took.append({"s": round(time.perf_counter() - began, 2), "cpu_s": round(time.process_time() - cpu, 2)})
        began = time.perf_counter()
        store.wipe()
        wiped = round(time.perf_counter() - began, 1)
        store.close()
    return {"events": events, "erased": took, "sessions": sessions, "rows": rows, "wipe_s": wiped}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    print(json.dumps(main(parser.parse_args().events), indent=1))
