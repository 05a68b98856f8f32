"""The waterfall's finer points: what an end was waited for, a span's rank and its permalink, and very many spans."""

import re
import secrets
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from collector.query.trace import SPANS, Lengths
from collector.traces.critical import critical_path
from collector.traces.tree import grow
from collector.traces.waterfall import draw
from tests.pages.conftest import Seeded
from tests.pages.test_traces import browser as a_browser_span
from tests.pages.test_traces import span
from tests.traces.planted import a_span, a_view, spans_line, to_bytes


def on_the_path(*spans: object) -> set[str]:
    picture = draw(spans)
    return {node.span.span_id for node in picture.tree.nodes() if id(node) in picture.critical}


def test_the_critical_path_is_walked_back_from_the_last_to_finish() -> None:
    assert on_the_path(
        span("root", "", 0, 100), span("a", "root", 0, 40), span("b", "root", 10, 20), span("c", "root", 45, 50),
        span("c1", "c", 46, 10), span("c2", "c", 60, 34), span("a1", "a", 2, 30),
    ) == {"root", "a", "a1", "c", "c1", "c2"}  # fmt: skip


def test_what_outlives_its_parent_was_not_waited_for() -> None:
    assert on_the_path(span("root", "", 0, 100), span("queued", "root", 20, 500), span("a", "root", 0, 30)) == {
        "root",
        "a",
    }


def test_a_page_that_loaded_waited_for_nothing_that_came_after() -> None:
    path = on_the_path(
        a_browser_span("view", "", 0, 100, "view"), a_browser_span("early", "view", 20, 60),
        span("web", "early", 30, 40), a_browser_span("scrolled", "view", 5_000, 300),
    )  # fmt: skip
    assert path == {"view", "early", "web"}


def test_a_deep_trace_and_a_circle_have_a_path_too() -> None:
    chain = [span(f"s{i}", f"s{i - 1}" if i else "", i, 50_000 - 2 * i) for i in range(20_000)]
    assert len(critical_path(draw(chain).tree)) == 20_000
    assert critical_path(grow([])) == set()
    assert critical_path(draw([span("a", "b", 0, 5), span("b", "a", 1, 3)]).tree)


def test_children_of_a_lost_span_hang_beneath_the_request_whose_reply_named_it() -> None:
    tree = grow([
        a_browser_span("view", "", 0, 100, "view"), a_browser_span("fetch", "view", 10, 50, server_span_id="lost"),
        span("db", "lost", 20, 10, "db"),
    ])  # fmt: skip
    db = next(node for node in tree.nodes() if node.span.span_id == "db")
    assert db.parent
    assert db.parent.span.span_id == "fetch"
    assert "lost" in db.note
    assert not list(tree.pairs()), "a child's times bound nothing"


def test_a_rank_is_the_share_that_was_shorter() -> None:
    lengths = Lengths({80: 100, 160: 800, 176: 100})
    assert lengths.rank(2**20).shorter == 0.1 + 0.4
    assert lengths.rank(2**22).n == 1_000
    assert lengths.rank(1).shorter == 0
    assert lengths.rank(2**40).shorter == 1


def test_each_span_has_its_rank_among_its_like_of_a_day(seeded: Seeded) -> None:
    view = next(v for v in reversed(seeded.traffic.views) if v["route"] == "/checkout")
    lines = [line for line in seeded.traffic.lines if "spans" in line]
    like = sorted(s["duration_ns"] for line in lines for s in line["spans"] if s["name"] == "GET /images")
    own = next(
        s for line in lines for s in line["spans"] if s["name"] == "GET /images" and s["trace_id"] == view["trace_id"]
    )
    html = seeded.client.get(f"/traces/{view['trace_id']}?fold=off&span={own['span_id']}").text
    row = html[html.index(f'id="span-{own["span_id"]}"') :]
    told = re.search(r"longer than <b>(<?)\D*(\d+)\D*%</b> of ([\d,]+) in a day", row)
    assert told
    assert int(told[3].replace(",", "")) == len(like)
    true = 100 * sum(length < own["duration_ns"] for length in like) / len(like)
    assert abs(int(told[2]) - true) < 9, "a step is an eighth of a doubling"


def test_a_permalink_opens_its_span_wherever_it_stands(seeded: Seeded, browser: Browser) -> None:
    view = next(v for v in reversed(seeded.traffic.views) if v["route"] == "/collections/:id")
    rows = seeded.client.get(f"/traces/{view['trace_id']}.json").json()["spans"]
    folded = [row for row in rows if row["name"] == "SELECT stock"][2]
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for own in (rows[-1], folded):
        page.goto(
            f"{seeded.client.base_url}/traces/{view['trace_id']}?wait=1&span={own['span_id']}#span-{own['span_id']}"
        )
        row = page.locator(f"#span-{own['span_id']}")
        assert row.locator("> details[open]").count() == 1
        assert row.locator("code", has_text=own["span_id"]).is_visible()
        link = row.get_by_role("link", name="this span").get_attribute("href") or ""
        assert own["span_id"] in link
        assert link.endswith(f"#span-{own['span_id']}")
    context.close()


@pytest.fixture(scope="module")
def huge(seeded: Seeded) -> Iterator[str]:
    """A trace of 100,000 spans, some of them deep, some of them alike."""
    now = seeded.question.at
    view = a_view(now - 60_000, {})
    parents = [view["events"][0]["span_id"]]
    spans = []
    for nr in range(SPANS):
        one = a_span(view, parents[nr // 7] if nr % 3 else parents[-1 - nr % 40], view["base_at"] + nr / 10, 5 + nr % 90,
                     service=f"s{nr % 12}", name=f"op {nr % 300}")  # fmt: skip
        parents.append(one["span_id"])
        spans.append(one)
    for at in range(0, SPANS, 20_000):
        seeded.store.insert(to_bytes(view, spans_line(now - 50_000, *spans[at : at + 20_000])), secrets.token_hex(8))
        view = view | {"events": []}
    return view["trace_id"]


def test_a_trace_of_100_000_spans_opens_and_can_be_walked(seeded: Seeded, huge: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    started = time.monotonic()
    page.goto(f"{seeded.client.base_url}/traces/{huge}?fold=off&wait=1")
    took_s = time.monotonic() - started
    assert page.get_by_role("treeitem").count() == 500
    assert took_s < 60, "a minute even on a machine with twenty others at work"
    assert page.get_by_text("more spans than are read").count() == 1, "a view and a fetch beyond the most that is read"
    first = page.get_by_role("treeitem").first
    first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "treeitem"
    page.get_by_role("link", name="next 500").click()
    page.get_by_text("Rows 501 – 1,000 of").wait_for()
    context.close()


def test_of_many_rows_each_brings_what_it_carries_when_it_is_opened(
    seeded: Seeded, huge: str, browser: Browser
) -> None:
    address = f"{seeded.client.base_url}/traces/{huge}?fold=off&wait=1"
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    row = page.get_by_role("treeitem").nth(400)
    assert row.locator("dt", has_text="span id").count() == 0
    row.locator("summary").click()
    row.locator("dt", has_text="span id").wait_for()
    assert row.get_by_role("link", name="What this span carries").count() == 0
    assert row.locator("h4", has_text="Resource").is_visible()
    page.goto(f"{address}&row=70000")
    permalink = page.get_by_role("treeitem").nth(7)
    own = permalink.get_attribute("id")
    context.close()

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}&row=70000")
    page.locator(f"#{own} > details > summary").click()
    page.locator(f"#{own}").get_by_role("link", name="What this span carries").click()
    row = page.locator(f"#{own}")
    assert row.locator("> details[open]").count() == 1, "a permalink finds its row, however far down"
    assert row.locator("h4", has_text="Resource").is_visible()
    context.close()


def test_a_page_of_few_rows_asks_for_nothing_more(seeded: Seeded) -> None:
    view = next(v for v in reversed(seeded.traffic.views) if v["route"] == "/collections/:id")
    html = seeded.client.get(f"/traces/{view['trace_id']}?fold=off").text
    assert html.count('role="treeitem"') <= 100
    assert "data-whole" not in html
    for wrong in ("rows=501", "rows=-1", "row=x", "row=1e3"):
        reply = seeded.client.get(f"/traces/{view['trace_id']}?{wrong}")
        assert (reply.status_code, "is not a whole number" in reply.text) == (400, True), wrong
