"""Query: how long each question takes over 1 M, 10 M and 100 M rows of skewed traffic in chDB.

`python -m bench.query [--sizes 1,10] [--runs 9] [--data DIR --keep]` prints JSON: p50 and p95 in milliseconds of each query
function, bytes per row, and the growth from size to size. The rows are of two weeks, and every function is asked about all
of them; the overview's page about the last week beside the one before it, which together are all of them too.
100 M rows take some 6 GB and half an hour of one core; a fill that was interrupted goes on with the same --data.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.traffic import filled
from collector.query import errors, feeds, flags, markers, overview, releases, summary, trace, view, vitals
from collector.query.compare import compare
from collector.query.measure import measure
from collector.query.question import Question
from collector.store import Store
from collector.ticket import TICKET, Ticket

PATIENCE_S = 300


def questions(store: Store, q: Question) -> dict[str, Callable[[], Any]]:
    """Every query function, as a page asks it."""
    (one,) = store.read("SELECT any(view_id) AS view_id, any(session_id) AS session_id FROM events WHERE type = 'view'")
    (span,) = store.read("SELECT any(TraceId) AS trace_id FROM otel_traces")
    by_route = q.asking(group_by=("route",))
    return {
        "summary": lambda: summary.summary(store, q),
        "vitals": lambda: vitals.vitals(store, q),
        "series": lambda: vitals.series(store, q),
        "routes": lambda: overview.routes(store, q),
        "feeds": lambda: overview.feeds(store, q),
        "errors": lambda: overview.errors(store, q),
        "recent_views": lambda: overview.recent_views(store, q),
        "presence": lambda: overview.presence(store, q),
        "heights": lambda: feeds.heights(store, q),
        "page_types": lambda: feeds.page_types(store, q),
        "batches": lambda: feeds.batches(store, q),
        "feed_course": lambda: feeds.feed_course(store, q),
        "error_groups": lambda: errors.error_groups(store, q),
        "release_views": lambda: releases.release_views(store, q),
        "a release beside another": lambda: releases.beside(store, q, "2.14.0", "2.15.0", q.since),
        "flags": lambda: flags.flags(store, q),
        "trace_spans": lambda: trace.trace_spans(store, q, span["trace_id"]),
        "trace_views": lambda: trace.trace_views(store, q, span["trace_id"]),
        "view_events": lambda: view.view_events(store, q, one["view_id"]),
        "event_shapes": lambda: view.event_shapes(store, q, one["view_id"]),
        "session_views": lambda: view.session_views(store, q, one["session_id"]),
        "compare a browser with the rest": lambda: compare(store, q.narrowed(browser="Samsung Internet")),
        "compare slow views with the rest": lambda: compare(store, q.where_also("lcp", ">4000")),
        "compare two releases": lambda: compare(store, q.narrowed(release="2.15.0").asking(compare="release=2.14.0")),
        "measure lcp": lambda: measure(store, q.asking(metric="lcp")),
        "measure lcp by route, 40 slices": lambda: measure(store, by_route.asking(metric="lcp"), slices=40),
        "measure fetch_duration by attr.tenant": lambda: measure(
            store, q.asking(metric="fetch_duration", group_by=("attr.tenant",))
        ),
        "measure requests_per_view by route, height": lambda: measure(
            store, q.asking(metric="requests_per_view", group_by=("route", "height"))
        ),
        "measure views where lcp>4000": lambda: measure(store, q.where_also("lcp", ">4000").asking(metric="views")),
    }


def timed(ask: Callable[[], Any], runs: int) -> dict[str, float]:
    """p50 and p95 in milliseconds of wall time, and p50 of CPU time; the first run is not counted."""
    patient(ask)
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        patient(ask)
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    walls.sort()
    p95 = walls[min(runs - 1, round(0.95 * runs))]
    return {"p50": round(statistics.median(walls), 1), "p95": round(p95, 1), "cpu": round(statistics.median(cpus), 1)}


def patient(ask: Callable[[], Any]) -> None:
    """Ask, and wait for as long as it takes: a busy machine is not to end a measurement."""
    TICKET.set(Ticket(PATIENCE_S))
    ask()


def overview_page(store: Store, q: Question) -> None:
    """The overview's questions at once, as its page asks them: of seven days, with the seven before beside them."""
    asked: list[Callable[[], Any]] = [
        lambda: summary.summary(store, q),
        lambda: markers.markers(store, q),
        lambda: overview.feeds(store, q),
        lambda: overview.errors(store, q),
        lambda: overview.recent_views(store, q),
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(patient, asked))


def at_size(folder: Path, millions: int, runs: int, only: str) -> dict[str, Any]:
    """Everything at one size."""
    with filled(folder / f"{millions}m", millions) as (store, until):
        size = store.read(
            "SELECT sum(rows) AS n, sum(bytes_on_disk) AS size FROM system.parts WHERE active AND table = 'events'"
        )[0]
        times = {}
        for name, ask in questions(store, Question("demo", until, "14d")).items():
            if only in name:
                times[name] = timed(ask, runs)
                sys.stderr.write(f"{name}: {times[name]}\n")
        if only in "overview page":
            times["overview page"] = timed(lambda: overview_page(store, Question("demo", until, "7d")), runs)
        return {"rows": size["n"], "bytes_per_row": round(size["size"] / size["n"], 1), "ms": times}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,10", help="millions of rows, with commas between")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", default="", help="questions whose name contains this")
    parser.add_argument("--data", type=Path, help="a folder for the rows; what is there already is used")
    parser.add_argument("--keep", action="store_true", help="leave the folder for the next time")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    folder = given.data or Path(tempfile.mkdtemp(prefix="farside-bench-"))
    found: dict[int, dict[str, Any]] = {}
    for millions in sizes:
        found[millions] = at_size(folder, millions, given.runs, given.only)
    growth = {
        f"{small} M → {large} M": {
            name: round(found[large]["ms"][name]["p50"] / max(0.1, found[small]["ms"][name]["p50"]), 1)
            for name in found[small]["ms"]
        }
        for small, large in pairwise(sizes)
    }
    print(json.dumps({"cores": os.cpu_count(), "sizes": found, "growth": growth}, indent=1))
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
