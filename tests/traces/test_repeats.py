"""What one trace calls again and again: found, with its caller, and measured by the metric of that name."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from collector.query.history import history
from collector.query.measure import measure
from collector.query.question import Question
from collector.query.services import repeats
from collector.store import Store
from tests.pages.conftest import now_in_ms, open_store
from tests.traces.planted import MIN, a_span, a_view, spans_line, to_bytes

CALLS = [1, 1, 6, 4]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Question]]:
    """A list page that asks for its rows at once, at once, one by one (six), and one by one (four); and one untraced."""
    store, now = open_store(tmp_path_factory.mktemp("repeats")), now_in_ms()
    lines = [a_view(now - 5 * MIN, {"type": "view", "at": 0.0, "duration_ms": 50.0}, trace_id="")]
    for times in CALLS:
        view = a_view(now - 5 * MIN, {"type": "view", "at": 0.0, "duration_ms": 900.0, "span_id": secrets.token_hex(8)})
        web = a_span(view, view["events"][0]["span_id"], view["base_at"], 60, name="GET /list")
        rows = [a_span(view, web["span_id"], view["base_at"], 5, service="rows", name="GET /row") for _ in range(times)]
        lines += [view, spans_line(now - 4 * MIN, web, *rows)]
    store.insert(to_bytes(*lines), secrets.token_hex(8))
    yield store, Question("demo", datetime.fromtimestamp(now / 1000, UTC))
    store.close()


def test_a_list_fetched_row_by_row_is_named_with_who_does_it(planted: tuple[Store, Question]) -> None:
    (found,) = repeats(*planted)
    assert (found.caller, found.service, found.operation) == ("web", "rows", "GET /row")
    assert (found.most, found.traces, found.took_ms) == (6, 2, 30.0)
    assert repeats(planted[0], planted[1].narrowed(route="/elsewhere")) == []


def test_the_metric_counts_the_call_made_most_of_each_traced_request(planted: tuple[Store, Question]) -> None:
    store, question = planted
    asked = question.asking(metric="repeated_calls", aggregate="p90", group_by=("route",))
    (group,) = measure(store, asked, slices=4).groups
    assert (group.key, group.figure.n, group.figure.value) == (("/list",), 4, 6.0)
    values = [value for part in history(store, asked, 900) for value in part.columns.values]
    assert sorted(values) == sorted(map(float, CALLS))
