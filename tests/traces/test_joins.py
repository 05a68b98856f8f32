"""Joins: every request that found its backend is counted, and every other has the right reason."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.query.joins import REASONS, joined
from collector.query.question import Question
from collector.store import Store
from tests.pages.conftest import now_in_ms, open_store
from tests.traces.planted import MIN, a_request, a_span, a_view, spans_line, to_bytes


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, int]]:
    store = open_store(tmp_path_factory.mktemp("joins"))
    yield store, now_in_ms()
    store.close()


def ask(planted: tuple[Store, int], *lines: dict[str, Any], **filters: str) -> Any:
    """What is joined of these lines, which have an app of their own."""
    store, now = planted
    app = secrets.token_hex(4)
    store.insert(to_bytes(*(line | {"app": app} for line in lines)), secrets.token_hex(8))
    return joined(store, Question(app, datetime.fromtimestamp(now / 1000, UTC)).narrowed(**filters))


def test_a_request_is_joined_by_its_own_id_however_late_its_span_comes(planted: tuple[Store, int]) -> None:
    _, now = planted
    view = a_view(now - 30 * MIN, {})
    server = a_span(view, view["events"][0]["span_id"], view["base_at"] + 120_000)  # its clock is two minutes off
    found = ask(planted, view, spans_line(now - 29 * MIN, server))
    assert (found.all.requests, found.all.joined, found.all.misses) == (1, 1, {})
    assert [(share.name, share.joined) for share in found.backends] == [("web", 1)]
    assert [(share.name, share.joined) for share in found.routes] == [("/list", 1)]
    assert (found.all.request_ms, found.all.network_ms) == (100, 40), "needs no clock"
    assert [(slot, share.joined) for slot, share in found.series.items()] == [(20, 1)]


def test_a_request_is_joined_by_the_span_its_reply_named_where_its_parent_sends_no_spans(planted: Any) -> None:
    _, now = planted
    view = a_view(now - 30 * MIN, {"server_span_id": "a" * 16})
    server = a_span(view, "b" * 16, view["base_at"] + 1_000, span_id="a" * 16)
    assert ask(planted, view, spans_line(now - 29 * MIN, server)).all.joined == 1


@pytest.mark.parametrize(
    ("request_", "view", "reason"),
    [
        ({"trace_source": ""}, {}, "unasked"),
        ({"trace_source": "", "url": "https://api.example/x", "phases": {}}, {}, "opaque"),
        ({"trace_source": "", "url": "https://api.example/x"}, {}, "unasked"),
        ({"trace_source": "", "url": "http://api.example/x"}, {"origin": "http://shop.example"}, "insecure"),
        ({"trace_source": "", "url": "http://api.example/x"}, {"origin": "http://localhost:80"}, "unasked"),
        ({"trace_source": "cached"}, {}, "cached"),
        ({"trace_source": "foreign"}, {}, "foreign"),
        ({"trace_source": "unsampled"}, {}, "unsampled"),
        ({"failure": "abort", "status_code": None}, {}, "unanswered"),
        ({}, {}, "dark"),
        ({"server_span_id": "c" * 16}, {}, "lost"),
        ({}, {"minutes": 1}, "late"),
    ],
)
def test_a_miss_has_its_reason(planted: Any, request_: dict[str, Any], view: dict[str, Any], reason: str) -> None:
    _, now = planted
    line = a_view(now - view.pop("minutes", 30) * MIN, request_, **view)
    found = ask(planted, line)
    assert found.all.misses == {reason: 1}
    assert reason in REASONS


def test_a_request_is_lost_where_others_to_the_same_endpoint_were_joined(planted: tuple[Store, int]) -> None:
    _, now = planted
    view = a_view(now - 30 * MIN, {}, {}, {"endpoint": "/static.json"})
    server = a_span(view, view["events"][0]["span_id"], view["base_at"])
    found = ask(planted, view, spans_line(now - 29 * MIN, server))
    assert (found.all.joined, found.all.due, found.all.misses) == (1, 3, {"lost": 1, "dark": 1})


def test_a_page_out_of_a_cache_belongs_to_its_first_reader(planted: tuple[Store, int]) -> None:
    _, now = planted
    page = {"type": "view", "at": 0.0, "duration_ms": 900.0, "trace_source": "server-timing", "span_id": "d" * 16}
    first = a_view(now - 30 * MIN, page)
    second = a_view(now - 20 * MIN, page, trace_id=first["trace_id"])
    server = a_span(first, "d" * 16, first["base_at"])
    found = ask(planted, first, second, spans_line(now - 30 * MIN + 500, server))
    assert (found.all.joined, found.all.misses) == (1, {"cached": 1})


def test_a_page_whose_server_was_done_long_before_came_out_of_a_cache(planted: tuple[Store, int]) -> None:
    _, now = planted
    page = {"type": "view", "at": 0.0, "duration_ms": 900.0, "trace_source": "meta", "server_span_id": "e" * 16}
    view = a_view(now - 20 * MIN, page)
    server = a_span(view, "", view["base_at"], span_id="e" * 16)
    assert ask(planted, view, spans_line(now - 21 * MIN, server)).all.misses == {"cached": 1}


def test_a_reply_given_twice_is_joined_once(planted: tuple[Store, int]) -> None:
    _, now = planted
    view = a_view(now - 30 * MIN, a_request(server_span_id="f" * 16), a_request(server_span_id="f" * 16))
    server = a_span(view, view["events"][0]["span_id"], view["base_at"], span_id="f" * 16)
    found = ask(planted, view, spans_line(now - 29 * MIN, server))
    assert (found.all.joined, found.all.misses) == (1, {"cached": 1})


def test_a_span_of_another_trace_is_not_joined(planted: tuple[Store, int]) -> None:
    _, now = planted
    view = a_view(now - 30 * MIN, {})
    server = a_span(view | {"trace_id": "0" * 31 + "1"}, view["events"][0]["span_id"], view["base_at"])
    assert ask(planted, view, spans_line(now - 29 * MIN, server)).all.misses == {"dark": 1}


def test_soft_views_and_restored_ones_wait_for_no_server(planted: tuple[Store, int]) -> None:
    _, now = planted
    soft = {"type": "view", "at": 0.0, "duration_ms": 10.0, "span_id": "1" * 16}
    lines = [a_view(now - 30 * MIN, soft, navigation=how) for how in ("soft", "restore", "navigate")]
    found = ask(planted, *lines)
    assert (found.all.requests, found.all.misses) == (1, {"unasked": 1})


def test_filters_hold(planted: tuple[Store, int]) -> None:
    _, now = planted
    lines = [a_view(now - 30 * MIN, {}, route="/a"), a_view(now - 30 * MIN, {}, {}, route="/b")]
    assert ask(planted, *lines, route="/b").all.requests == 2


def test_nothing_asked_is_nothing_joined(planted: tuple[Store, int]) -> None:
    store, now = planted
    empty = joined(store, Question("nobody", datetime.fromtimestamp(now / 1000, UTC)))
    assert (empty.all.requests, empty.series, empty.routes) == (0, {}, [])
    assert replace(empty).backends == []
