"""The map: every call of the planted traffic is on it, once, with what is known of it; and the layout can be read."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from collector.query.question import Question
from collector.query.services import Edge, Services, services
from collector.store import Store
from collector.traces.layers import BOX_HEIGHT, BOX_WIDTH, lay_out
from dashboards.servicemap import slowest
from tests.pages.conftest import now_in_ms, open_store
from tests.traces.planted import MIN, a_span, a_view, spans_line, to_bytes

DAY = 24 * 60 * MIN


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, int]]:
    store, now = open_store(tmp_path_factory.mktemp("map")), now_in_ms()

    def traffic(at: int, with_search: bool) -> Iterator[dict[str, Any]]:
        asset = {"type": "resource", "at": 5.0, "duration_ms": 30.0, "url": "https://fonts.example/a", "endpoint": ""}
        far = {"url": "https://dark.example/x", "endpoint": "/x", "trace_source": ""}
        view = a_view(at, {}, {"failure": "abort"}, far, asset)
        web = a_span(view, view["events"][0]["span_id"], view["base_at"], 60)
        call = a_span(view, web["span_id"], view["base_at"], 40, kind="Client", service="web", name="GET")
        search = a_span(view, call["span_id"], view["base_at"], 30, service="search", status="Error")
        sql = {"db.system.name": "postgresql", "db.namespace": "stock"}
        reads = [
            a_span(view, web["span_id"], view["base_at"], took, kind="Client", name="query",
                   attributes=sql | {"db.query.text": text})
            for took, text in ((4, "SELECT 1"), (5, "select 2"), (6, " WITH a AS (SELECT 1) SELECT 1"), (7, "INSERT INTO a"))
        ]  # fmt: skip
        out = a_span(
            view, web["span_id"], view["base_at"], 20, kind="Client", attributes={"server.address": "pay.example"}
        )
        yield view
        yield spans_line(at, web, *reads, out, *((call, search) if with_search else ()))

    lines = [line for nr in range(10) for line in traffic(now - (nr + 1) * MIN, with_search=True)]
    lines += traffic(now - 2 * DAY, with_search=False)
    store.insert(to_bytes(*lines), secrets.token_hex(8))
    yield store, now
    store.close()


def ask(planted: tuple[Store, int], **more: Any) -> Services:
    store, now = planted
    return services(store, Question("demo", datetime.fromtimestamp(now / 1000, UTC)), **more)


def test_every_call_is_on_the_map(planted: tuple[Store, int]) -> None:
    found = ask(planted)
    assert found.nth == 1
    assert {(e.source, e.target, e.kind): (e.calls, e.errors, e.reads, e.writes) for e in found.edges} == {
        ("browser", "web", "service"): (10, 0, 0, 0),
        ("web", "search", "service"): (10, 10, 0, 0),
        ("web", "postgresql stock", "store"): (40, 0, 30, 10),
        ("web", "pay.example", "dark"): (10, 0, 0, 0),
        ("browser", "(its own origin)", "dark"): (10, 10, 0, 0),
        ("browser", "dark.example", "dark"): (10, 0, 0, 0),
        ("browser", "fonts.example", "third"): (10, 0, 0, 0),
    }
    store = next(e for e in found.edges if e.kind == "store")
    assert store.p75_ms == 7
    assert store.trace_id


def test_what_was_not_called_before_is_new(planted: tuple[Store, int]) -> None:
    _, now = planted
    since = datetime.fromtimestamp(now / 1000, UTC) - timedelta(days=1)
    found = ask(planted, new_since=since)
    assert found.has_history
    assert [(e.source, e.target) for e in found.edges if e.is_new] == [("web", "search")]
    assert not any(e.is_new for e in ask(planted, new_since=since - timedelta(days=20)).edges), (
        "nothing to be new against"
    )


def test_filters_are_those_of_the_views(planted: tuple[Store, int]) -> None:
    store, now = planted
    nobody = Question("demo", datetime.fromtimestamp(now / 1000, UTC)).narrowed(route="/nowhere")
    assert services(store, nobody).edges == []
    assert len(services(store, nobody.narrowed(route="/list")).edges) == 7


def an_edge(source: str, target: str, kind: str = "service") -> Edge:
    return Edge(source, target, kind, 10, 5.0, 0)


def test_callers_stand_left_of_whom_they_call_and_no_box_upon_another() -> None:
    edges = [
        an_edge("browser", "web"), an_edge("web", "a"), an_edge("web", "b"), an_edge("a", "db", "store"),
        an_edge("b", "db", "store"), an_edge("b", "a"), an_edge("browser", "cdn", "third"),
    ]  # fmt: skip
    layout = lay_out(edges)
    at = {box.name: box for box in layout.boxes}
    for edge in edges:
        assert at[edge.source].x + BOX_WIDTH < at[edge.target].x
    places = sorted((box.x, box.y) for box in layout.boxes)
    for (x1, y1), (x2, y2) in pairwise(places):
        assert x1 != x2 or y2 - y1 >= BOX_HEIGHT
    assert all(box.x + BOX_WIDTH <= layout.width and box.y + BOX_HEIGHT <= layout.height for box in layout.boxes)
    assert lay_out(edges) == layout


@pytest.mark.parametrize("edges", [[], ["aa"], ["ab", "ba"], ["ab", "bc", "ca", "cc"], ["ba", "cb", "ac", "db"]])
def test_circles_are_drawn(edges: list[str]) -> None:
    layout = lay_out([an_edge(*pair) for pair in edges])
    assert {box.name for box in layout.boxes} == set("".join(edges))
    assert len(layout.arrows) == sum(1 for pair in edges if pair[0] != pair[1])


def test_the_slowest_service_is_the_one_that_waits_for_nobody() -> None:
    edges = [
        Edge("browser", "web", "service", 40, 1_260.0, 0),
        Edge("web", "voting", "service", 40, 1_240.0, 0),
        Edge("voting", "sqlite", "store", 40, 3.0, 0),
        Edge("web", "product", "service", 40, 90.0, 0),
    ]
    found = slowest(edges)
    assert found is not None
    assert (found.edge.target, found.own_ms) == ("voting", 1_237.0)
    assert slowest([Edge("browser", "cdn.example", "third", 9, 800.0, 0)]) is None
