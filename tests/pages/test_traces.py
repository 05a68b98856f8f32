"""Traces: spans hang where they belong, clocks are bounded, whatever comes in comes out."""

import random
from collections.abc import Iterator
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.query.trace import Pair, Span
from collector.traces.clock import ROUNDING_MS, TAIL_MS, offsets
from collector.traces.tree import Node, grow, pair_of
from collector.traces.waterfall import draw, members_of
from tests.pages.conftest import Seeded

MS = 1_000_000


def span(span_id: str, parent: str = "", start: float = 0, took: float = 10, service: str = "web", **more: str) -> Span:
    return Span(span_id, parent, more.pop("name", span_id), "Server", service, round(start * MS), round(took * MS),
                host=more.pop("host", f"{service}-1"), **more)  # fmt: skip


def browser(
    span_id: str, parent: str = "", start: float = 0, took: float = 10, kind: str = "fetch", **more: str
) -> Span:
    return span(span_id, parent, start, took, service="browser", event_type=kind, **more)


def outline(nodes: list[Node]) -> list[object]:
    """The tree as nested lists of names."""
    return [[node.span.span_id, *outline(node.children)] if node.children else node.span.span_id for node in nodes]


def test_a_request_holds_its_server_span_and_all_behind_it() -> None:
    tree = grow([
        span("sql", "product", 42, 3, "product"), span("image", "call2", 46, 3, "image"),
        span("product", "call1", 40, 8, "product"), span("call1", "web", 38, 12), span("call2", "web", 45, 5),
        span("web", "fetch", 35, 20), browser("fetch", "view", 30, 30), browser("view", "", 0, 100, "view"),
    ])  # fmt: skip
    expected = [["view", ["fetch", ["web", ["call1", ["product", "sql"]], ["call2", "image"]]]]]
    assert outline(tree.roots) == expected
    assert (tree.missing, tree.repeated, tree.looped) == (0, 0, 0)


def test_a_server_span_without_parent_hangs_beneath_the_request_that_names_it() -> None:
    tree = grow([
        browser("view", "", 0, 100, "view", server_span_id="page"), browser("fetch", "view", 50, 30, server_span_id="api"),
        span("page", "", 5, 20), span("api", "gateway-that-sends-no-spans", 55, 20),
    ])  # fmt: skip
    assert outline(tree.roots) == [["view", "page", ["fetch", "api"]]]
    assert tree.missing == 1
    api = next(node for node in tree.nodes() if node.span.span_id == "api")
    assert "gateway-that-sends-no-spans" in api.note


def test_a_cached_reply_joins_nothing() -> None:
    tree = grow([
        browser("view", "", 0, 100, "view"), browser("fetch", "view", 50, 30, server_span_id="old", trace_source="cached"),
        span("old", "", 5, 20),
    ])  # fmt: skip
    assert outline(tree.roots) == [["view", "fetch"], "old"]


def test_a_lost_parent_is_said_and_its_child_is_shown_beneath_the_view() -> None:
    tree = grow([browser("view", "", 0, 100, "view", view_id="v"), span("orphan", "lost", 5, 20)])
    assert outline(tree.roots) == [["view", "orphan"]]
    assert tree.missing == 1
    assert not list(tree.pairs()), "a guess bounds no clock"


def test_a_loop_is_cut_and_counted() -> None:
    tree = grow([span("a", "c", 1), span("b", "a", 2), span("c", "b", 3), span("self", "self", 4)])
    assert outline(tree.roots) == [["a", ["b", "c"]], "self"]
    assert (tree.looped, tree.missing) == (2, 0)


def test_two_spans_of_one_id_are_both_shown() -> None:
    tree = grow([span("a", "", 0, 50), span("b", "a", 5, 5), span("b", "a", 20, 5, service="other")])
    assert outline(tree.roots) == [["a", "b", "b"]]
    assert tree.repeated == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 50), st.booleans()), max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_comes_out_once(rows: list[tuple[int, int, int, bool]]) -> None:
    """No input loops, and none loses a span; a browser span told of twice is one."""
    spans = [
        browser(f"s{own}", f"s{parent}", start)
        if is_browser
        else span(f"s{own}", f"s{parent}" if parent else "", start)
        for own, parent, start, is_browser in rows
    ]
    tree = grow(spans)
    merged, first = 0, {}
    for one in spans:
        merged += one.span_id in first and first[one.span_id] and one.is_browser
        first.setdefault(one.span_id, one.is_browser)
    assert sum(1 for _ in tree.nodes()) == len(spans) - merged
    picture = draw(spans)
    assert sum(len(row.members) or 1 for row in picture.rows) <= len(spans)
    assert all(node.start_ms >= 0 for node in picture.tree.nodes())


def exchanges(rng: random.Random, ahead_ms: float, n: int, host: str = "web-1") -> Iterator[Pair]:
    """Requests as they happen, on a browser whose clock is `ahead_ms` ahead and whole milliseconds coarse."""
    for i in range(n):
        start, there, served, back = i * 500.0, rng.uniform(1, 80), rng.uniform(2, 90), rng.uniform(1, 80)
        client = browser(f"c{i}", "view", round(start + ahead_ms), there + served + back)
        yield pair_of(client, span(f"s{i}", f"c{i}", start + there, served, host=host))


@pytest.mark.parametrize("ahead_ms", [3_200, -900, 0, 86_400_000])
def test_the_planted_offset_lies_in_the_interval(ahead_ms: int) -> None:
    for seed in range(50):
        rng = random.Random(seed)
        pairs = list(exchanges(rng, ahead_ms, rng.randrange(1, 12)))
        found = offsets(pairs)["web-1"]
        assert found.low <= -ahead_ms <= found.high
        assert not found.is_contradictory
        tightest = min(p.client_end_ns - p.client_start_ns - p.server_end_ns + p.server_start_ns for p in pairs)
        assert found.error_ms <= tightest / 2 / MS + 2 * ROUNDING_MS + TAIL_MS


def test_more_requests_make_the_interval_narrower() -> None:
    few, many = (offsets(exchanges(random.Random(5), 3_200, n))["web-1"].error_ms for n in (1, 40))
    assert many < few


def test_each_host_has_a_clock_of_its_own_and_spans_are_shown_by_the_browsers() -> None:
    view = browser("view", "", 0, 1_000, "view")
    spans = [view]
    for host, ahead, at in (("a", 3_200.0, 100.0), ("b", -900.0, 500.0)):
        client = browser(f"c-{host}", "view", at, 100)
        spans += [client, span(f"s-{host}", f"c-{host}", at + 20 - ahead, 60, host=host)]
        spans.append(span(f"inner-{host}", f"s-{host}", at + 30 - ahead, 10, "db", host=f"db-{host}"))
    picture = draw(spans)
    assert [(o.host, round(o.browser_ahead_ms)) for o in picture.offsets] == [("a", 3_200), ("b", -900)]
    for node in picture.tree.nodes():
        if node.parent:
            assert node.parent.start_ms <= node.start_ms, node.span.span_id
            assert node.end_ms <= node.parent.end_ms, node.span.span_id
    raw = draw(spans, raw=True)
    assert any(node.parent and node.start_ms < node.parent.start_ms for node in raw.tree.nodes())


def test_clocks_that_may_agree_are_left_alone() -> None:
    spans = [browser("view", "", 0, 1_000, "view"), browser("c", "view", 100, 100), span("s", "c", 105, 60)]
    picture = draw(spans)
    assert picture.offsets[0].ms == 0
    server = next(node for node in picture.tree.nodes() if node.span.span_id == "s")
    assert server.start_ms == 105


def test_a_clock_that_was_set_in_between_is_a_contradiction_and_said() -> None:
    rng = random.Random(1)
    before, after = list(exchanges(rng, 0, 4)), list(exchanges(rng, 5_000, 4))
    assert not offsets(before)["web-1"].is_contradictory
    assert offsets(before + after)["web-1"].is_contradictory


def test_own_times_add_up_to_what_was_spent() -> None:
    picture = draw([
        browser("view", "", 0, 100, "view"), browser("fetch", "view", 20, 60), span("web", "fetch", 30, 40),
        span("db", "web", 40, 10, "db"), browser("lost", "view", 85, 10),
    ])  # fmt: skip
    assert dict(picture.shares) == pytest.approx({"browser": 30, "network": 20, "web": 30, "db": 10, "unseen": 10})
    assert sum(ms for _, ms in picture.shares) == pytest.approx(100)


def test_messages_of_asgi_are_counted_and_left_out_unless_they_tell_something() -> None:
    spans = [
        span("a", "", 0, 100, name="GET /p"),
        span("b", "a", 90, 1, name="GET /p http send"),
        span("c", "a", 91, 1, name="GET /p http receive"),
        span("d", "a", 92, 1, name="GET /p http send", status="Error"),
        span("e", "a", 93, 1, name="somebody's http send"),
    ]
    picture = draw(spans)
    assert [row.node.span.span_id for row in picture.rows] == ["a", "d", "e"]
    assert (picture.spans, picture.undrawn) == (5, 2)
    everything = draw(spans, fold=False)
    assert (len(everything.rows), everything.undrawn) == (5, 0)


def test_many_alike_are_folded_with_their_percentiles_and_few_are_not() -> None:
    many = [span(f"q{i}", "web", 10 + i, i + 1, "db", name="SELECT", host="web-1") for i in range(37)]
    few = [span(f"f{i}", "web", 60 + i, 1, "db", name="INSERT", host="web-1") for i in range(5)]
    picture = draw([span("web", "", 0, 100), *many, *few])
    folds = [row for row in picture.rows if row.members]
    assert [len(row.members) for row in folds] == [37]
    assert (folds[0].p50_ms, folds[0].p95_ms, folds[0].total_ms) == (19, 36, sum(range(1, 38)))
    assert len(picture.rows) == 1 + 1 + 5
    assert len(draw([span("web", "", 0, 100), *many, *few], fold=False).rows) == 1 + 37 + 5
    assert [row.node.span.span_id for row in members_of(folds[0], 3)] == ["q0", "q1", "q2"]


def test_a_deep_trace_needs_no_stack() -> None:
    chain = [span(f"s{i}", f"s{i - 1}" if i else "", i) for i in range(20_000)]
    assert max(row.depth for row in draw(chain).rows) == 19_999


def test_the_stored_trace_nests_browser_web_product_and_image(seeded: Seeded) -> None:
    view = next(v for v in reversed(seeded.traffic.views) if v["route"] == "/products/:id")
    rows = seeded.client.get(f"/traces/{view['trace_id']}.json").json()["spans"]
    by_id = {row["span_id"]: row for row in rows}

    def ancestry(row: dict[str, str]) -> list[str]:
        return [*(ancestry(by_id[row["parent_span_id"]]) if row["parent_span_id"] else []), row["service"]]

    assert len([row for row in rows if not row["parent_span_id"]]) == 1
    paths = {" ".join(dict.fromkeys(ancestry(row))) for row in rows}
    assert {"browser", "browser web", "browser web product", "browser web image"} <= paths
    spooled = [s for line in seeded.traffic.lines for s in line.get("spans", []) if s["trace_id"] == view["trace_id"]]
    assert len([row for row in rows if row["service"] != "browser"]) == len(spooled)
    for row in rows:
        if row["parent_span_id"] and row["service"] != "browser":
            parent = by_id[row["parent_span_id"]]
            assert row["start_ms"] >= parent["start_ms"] - ROUNDING_MS
            assert row["start_ms"] + row["duration_ms"] <= parent["start_ms"] + parent["duration_ms"] + ROUNDING_MS


def test_the_stored_clock_is_found(seeded: Seeded) -> None:
    ahead = 3_200
    view = next(v for v in seeded.traffic.views if v["clock_offset_ms"] == 40 - ahead)
    reply = seeded.client.get(f"/views/{view['view_id']}.json").json()
    (clock,) = reply["trace"]["clocks"]
    assert abs(clock["browser_ahead_ms"] - ahead) <= clock["error_ms"]
    assert "Browser clock" in seeded.client.get(f"/views/{view['view_id']}").text


def test_a_feed_load_holds_the_request_it_caused(seeded: Seeded) -> None:
    view = next(v for v in seeded.traffic.views if v["route"] == "/")
    rows = seeded.client.get(f"/traces/{view['trace_id']}.json").json()["spans"]
    feeds = {row["span_id"] for row in rows if row["type"] == "feed"}
    within = [row for row in rows if row["parent_span_id"] in feeds]
    assert len(feeds) >= 3
    assert len(within) == len(feeds)
    assert all(row["type"] == "fetch" for row in within)


def test_drawing_leaves_the_spans_as_they_were() -> None:
    spans = [browser("view", "", 0, 1_000, "view"), browser("c", "view", 3_300, 100), span("s", "c", 105, 60)]
    kept = [copy(one) for one in spans]
    draw(spans)
    assert spans == kept


def test_a_window_keeps_what_runs_within_it(seeded: Seeded) -> None:
    view = next(v for v in seeded.traffic.views if v["route"] == "/")
    path = f"/traces/{view['trace_id']}"
    spans = seeded.client.get(f"{path}.json").json()["spans"]
    within = [s for s in spans if s["start_ms"] <= 400 and s["start_ms"] + s["duration_ms"] >= 100]
    shown = seeded.client.get(f"{path}?fold=off&window=100-400").text
    assert 0 < len(within) < len(spans)
    assert shown.count('role="treeitem"') == len(within)
    assert f"{path}?app=demo&amp;range=1h&amp;at=" in shown, "links keep the question"
    assert seeded.client.get(f"{path}?window=all").status_code == 400
