"""Every question ends at its watermark: while a load runs it gives what it gave before, in raw rows and in what is made of
them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.query import feeds, overview, summary, vitals
from collector.query.compare import compare
from collector.query.explore import sample_rows, value_grid
from collector.query.measure import measure
from collector.query.question import Question
from collector.store import Store
from tests.pages.conftest import now_in_ms
from tests.pages.shop import Shop


def questions(store: Store, q: Question) -> dict[str, Callable[[], Any]]:
    return {
        "summary": lambda: summary.summary(store, q),
        "vitals": lambda: vitals.vitals(store, q),
        "routes": lambda: overview.routes(store, q),
        "feeds": lambda: overview.feeds(store, q),
        "errors": lambda: overview.errors(store, q),
        "views": lambda: overview.recent_views(store, q),
        "presence": lambda: overview.presence(store, q),
        "heights": lambda: feeds.heights(store, q),
        "page_types": lambda: feeds.page_types(store, q),
        "batches": lambda: feeds.batches(store, q),
        "measure": lambda: measure(store, q.asking(metric="inp", group_by=("browser",)), slices=5),
        "users": lambda: measure(store, q.asking(metric="users")),
        "per view": lambda: measure(store, q.asking(metric="requests_per_view", group_by=("route",))),
        "narrowed": lambda: measure(store, q.where_also("lcp", ">2500").asking(metric="errors")),
        "compare": lambda: compare(store, q.narrowed(device="mobile")),
        "grid": lambda: value_grid(store, q, 8),
        "rows": lambda: sample_rows(store, q.asking(metric="errors")),
    }


def test_a_load_changes_no_answer(store: Store) -> None:
    until_ms = now_in_ms() - 3_600_000
    before = Shop(seed=31, now_ms=until_ms).views(120, over_ms=3_000_000)
    store.insert(before.to_bytes(), "before")
    question = Question("demo", datetime.fromtimestamp(until_ms / 1000, UTC), is_live=False)
    asked = questions(store, question)
    expected = {name: ask() for name, ask in asked.items()}
    assert expected["views"]

    # Later lines, of new views and of those that were there already.
    later = Shop(seed=32, now_ms=until_ms + 1_800_000).views(120, over_ms=1_500_000)
    for line in before.lines[::3]:
        later.lines.append(line | {"line_id": line["line_id"][::-1], "received_at": until_ms + 5, "seq": 9})
    done = threading.Event()

    def load() -> None:
        part = len(later.lines) // 12
        for nr in range(12):
            lines = type(later)(lines=later.lines[nr * part : (nr + 1) * part])
            store.insert(lines.to_bytes(), f"later-{nr}")
        done.set()

    loader = threading.Thread(target=load)
    loader.start()
    try:
        rounds = 0
        while not done.is_set() or not rounds:
            for name, ask in asked.items():
                assert ask() == expected[name], name
            rounds += 1
    finally:
        loader.join()
    for name, ask in asked.items():
        assert ask() == expected[name], name
    now = Question("demo", question.until + timedelta(hours=1))
    assert summary.summary(store, now).vitals != expected["vitals"], "the later lines are there"
