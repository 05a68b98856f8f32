"""What it costs to open a trace: of 500 spans among millions, and of 100,000; and to find the pairs of fifty. Prints JSON.

How long the answer takes over HTTP (p50 and p95 of the tries), and `server_cpu_ms`, the median of the server's own work:
that of the process without the thread that asks.

Usage: python -m bench.trace [--events 1000000] [--spans 4000000]
"""

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.filling import fill
from collector.query.question import Question
from collector.query.trace import trace_pairs
from collector.store import Store
from tests.pages.conftest import now_in_ms, open_store, pages_over
from tests.traces.planted import a_span, a_view, spans_line, to_bytes

TRIES = 20


def ms(values: Sequence[float], part: float) -> float:
    """The value below which a part of all lies, in milliseconds."""
    return round(1_000 * sorted(values)[min(len(values) - 1, int(part * len(values)))], 1)


def worked() -> float:
    """Seconds of processor time the server has taken: everything here but the thread that asks."""
    return time.process_time() - time.thread_time()


def seconds_of(store: Store, question: Question, traces: Sequence[str]) -> float:
    """How long it takes to find what bounds the clocks of a session with these traces."""
    wall = time.perf_counter()
    trace_pairs(store, question, traces)
    return time.perf_counter() - wall


def main() -> None:
    """Fill a store, plant two traces, open them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--spans", type=int, default=4_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, now = open_store(Path(folder)), now_in_ms()
        fill(store, now, asked.events, asked.spans)
        traces = {}
        for size in (500, 100_000):
            view = a_view(now - 60_000, {})
            parents, spans = [view["events"][0]["span_id"]], []
            for nr in range(size - 1):
                spans.append(
                    a_span(view, parents[nr // 7], view["base_at"] + nr / 10, 5 + nr % 90, name=f"op {nr % 300}")
                )
                parents.append(spans[-1]["span_id"])
            store.insert(to_bytes(view, spans_line(now - 50_000, *spans)), secrets.token_hex(8))
            traces[size] = view["trace_id"]
        while store.read("SELECT count() AS n FROM system.merges")[0]["n"]:  # of what was filled in just now
            time.sleep(0.2)
        found = {}
        with pages_over(store, now) as client:
            for size, trace_id in traces.items():
                tries = []
                for nr in range(TRIES):
                    cpu, wall = worked(), time.perf_counter()
                    # Another watermark each time, so that nothing is remembered.
                    reply = client.get(
                        f"/traces/{trace_id}", params={"app": "demo", "fold": "off", "at": str(now - nr)}
                    )
                    tries.append((time.perf_counter() - wall, worked() - cpu))
                    assert reply.text.count('role="treeitem"') == 500, reply.status_code
                walls, cpus = zip(*tries, strict=True)
                found[f"{size}_spans"] = {
                    "p50_ms": ms(walls, 0.5), "p95_ms": ms(walls, 0.95), "server_cpu_ms": ms(cpus, 0.5),
                }  # fmt: skip
        question = Question("demo", datetime.fromtimestamp(now / 1000, UTC))
        for how, which in (("near", "1"), ("far", "cityHash64(TraceId) % 1009 = 0")):  # in a burst, or over two weeks
            rows = store.read(f"SELECT DISTINCT TraceId AS id FROM otel_traces WHERE {which} LIMIT 50")
            tries = [seconds_of(store, question, [row["id"] for row in rows]) for _ in range(TRIES)]
            found[f"pairs_of_{len(rows)}_{how}_traces"] = {"p50_ms": ms(tries, 0.5)}
        store.close()
    print(json.dumps({"events": asked.events, "spans": asked.spans} | found))


if __name__ == "__main__":
    main()
