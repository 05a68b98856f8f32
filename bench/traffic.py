"""Traffic: a store filled with skewed traffic of two weeks by the engine itself (`traffic.sql`), and spans behind its views.

A size always holds the same rows but for their times, which end at the hour at which it was made. A fill that was
interrupted goes on where it stopped.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.query.question import milliseconds
from collector.store import Store

EVENTS_PER_VIEW = 11.93
CHUNK = 60_000
SPAN = timedelta(days=14)
SPANS = 4_000_000
SPANS_PER_VIEW = 20
TRAFFIC = (Path(__file__).parent / "traffic.sql").read_text()
PROGRESS = (
    "CREATE TABLE IF NOT EXISTS bench_fill (views UInt64, until DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY views"
)
# A call of the page (its eighth event is always one) reaches `web`, which calls the services below it.
SPAN_ROWS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode, received_at)
WITH intDiv(number, {each:UInt32}) AS view, number % {each:UInt32} AS nr,
    toInt64({until_ms:Int64} - toInt64({span_ms:Int64}) + toInt64({span_ms:Int64} * (view + 1) / {all:UInt64})) AS at
SELECT fromUnixTimestamp64Milli(at + toInt64(nr), 'UTC'),
    lower(concat(hex(cityHash64(view, 't')), hex(cityHash64(view, 'v')))), lower(hex(sipHash64(number))),
    if(nr = 0, lower(hex(cityHash64(view, 8))), lower(hex(sipHash64(number - if(nr < 3, 1, 2))))),
    ['GET /', 'GET /api/:id', 'SELECT stock', 'GET /images'][nr % 4 + 1], ['Server', 'Client'][nr % 2 + 1],
    ['web', 'product', 'db', 'image'][nr % 4 + 1],
    map('service.name', ['web', 'product', 'db', 'image'][nr % 4 + 1], 'host.name', concat('web-', toString(view % 3))),
    map('http.route', '/api', 'http.response.status_code', '200'),
    toUInt64(1e7 / (nr + 1)) + cityHash64(number) % 5000000, if(cityHash64(number) % 200 = 0, 'Error', 'Unset'),
    fromUnixTimestamp64Milli(at, 'UTC')
FROM numbers({first:UInt64}, {spans:UInt64})
"""


def fill(store: Store, rows: int, until: datetime) -> datetime:
    """`rows` events of the two weeks before `until`, and four million spans behind the newest views; when it ends."""
    views = round(rows / EVENTS_PER_VIEW)
    write(store, PROGRESS)
    (done,) = store.read("SELECT max(views) AS views, max(until) AS until FROM bench_fill")
    until = done["until"] if done["views"] else until
    times = {"until_ms": milliseconds(until), "span_ms": SPAN // timedelta(milliseconds=1), "all": views}
    for first in bar(f"{rows:,} events", range(done["views"], views, CHUNK)):
        some = min(CHUNK, views - first)
        write(store, TRAFFIC, first=first, views=some, **times)
        write(
            store,
            "INSERT INTO bench_fill VALUES ({views:UInt64}, {until:DateTime64(3)})",
            views=first + some,
            until=until,
        )
    each = max(SPANS_PER_VIEW, SPANS // views)
    if not store.read("SELECT count() AS n FROM otel_traces")[0]["n"]:
        all_spans = views * each
        for first in bar(f"{SPANS:,} spans", range(max(0, all_spans - SPANS), all_spans, 500_000)):
            write(store, SPAN_ROWS, first=first, spans=min(500_000, all_spans - first), each=each, **times)
    return until


def write(store: Store, sql: str, **parameters: Any) -> None:
    """Run an INSERT on a reader's handle: what is measured are readers."""
    with store._reader() as client:
        client.command(sql, parameters=parameters)


def bar(what: str, steps: Iterable[int]) -> Iterator[int]:
    """Steps, with a bar on stderr."""
    todo = list(steps)
    for nr, step in enumerate(todo, 1):
        yield step
        done = round(30 * nr / len(todo))
        sys.stderr.write(f"\r{what:>20} [{'#' * done}{'.' * (30 - done)}] {100 * nr // len(todo)} %")
        sys.stderr.flush()
    if todo:
        sys.stderr.write("\n")


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """A store in a folder."""
    store = Store(f"chdb://{folder / 'chdb'}", scratch=folder / "tmp")
    store.open()
    yield store
    store.close()


@contextmanager
def filled(folder: Path, millions: int) -> Iterator[tuple[Store, datetime]]:
    """A store in `folder` with so many million events, and when they end."""
    with opened(folder) as store:
        yield store, fill(store, millions * 1_000_000, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))


def main() -> None:
    """`python -m bench.traffic FOLDER MILLIONS` fills a folder."""
    with filled(Path(sys.argv[1]), int(sys.argv[2])):
        pass


if __name__ == "__main__":
    main()
