"""Charts over time: what changed is marked on each, any slice can be read, any part asked about, by mouse and keys."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from collector import audit
from collector.people import EDITOR, Person
from collector.query.markers import markers
from collector.query.question import milliseconds
from tests.pages.conftest import Seeded

# Every page with charts over time, and how many of them the fixture's day fills.
CHARTS = {
    "/explore?metric=lcp&group_by=route": 1,
    "/explore?metric=lcp&view=heatmap": 1,
    "/explore?metric=fetch_duration&view=heatmap": 1,
    "/routes?route=/products/:id": 2,
    "/feeds?": 1,
    "/flags?": 1,
    "/releases?": 1,
    "/pipeline?": 1,
}


@pytest.fixture(scope="module")
def page(browser: Browser, day: Seeded) -> Iterator[Page]:
    base = str(day.client.base_url).rstrip("/")
    context = browser.new_context(viewport={"width": 1360, "height": 1000}, base_url=base)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("address", CHARTS)
def test_a_chart_carries_its_markers_and_its_table(day: Seeded, address: str) -> None:
    html = day.client.get(f"{address}&range=1h").text
    charts = re.findall(r"<figure class=\"plot[^>]*data-plot.*?</figure>", html, re.DOTALL)
    assert len(charts) == CHARTS[address]
    for chart in charts:
        assert "release 2.15.0, first seen" in chart
        assert chart.count("<tr data-nr=") > 5, "slices in words, without any script"
        assert re.search(r'<th scope="row"><a href="[^"]*from=\d+', chart), "each opens its time alone"


def test_alerts_and_settings_are_markers_too(day: Seeded) -> None:
    at = day.question.until - timedelta(minutes=20)
    flip = {
        "rule": "slow-shop", "group_key": "", "group": {}, "seq": 1, "at": at, "before": "pending", "after": "firing",
        "fired_at": at, "since": None, "value": 3000.0, "low": None, "high": None, "n": 9, "users": 3, "limit_value": 2500.0,
        "note": "", "problem": "", "question": "/explore?app=few&metric=lcp", "rule_text": "", "written_by": "test",
    }  # fmt: skip
    day.store.append("flips", [flip])
    who = Person("ada", EDITOR, "password")
    audit.record(
        day.store, who, "settings changed", "settings",
        before={"apps.few.remote": "{}", "apps.demo.remote": "{}"},
        after={"apps.few.remote": '{"sample": 2}', "apps.demo.remote": "{}"},
    )  # fmt: skip
    few = day.question.about("few")
    later = few.between(few.since, day.question.until + timedelta(minutes=30))
    assert [(m.kind, m.name) for m in markers(day.store, later)] == [
        ("alert", "slow-shop"),
        ("config", "apps.few.remote"),
    ]
    assert not [m for m in markers(day.store, later.about("demo")) if m.kind in ("alert", "config")]


def test_the_pointer_reads_what_the_table_says(page: Page) -> None:
    page.goto("/explore?metric=lcp&range=1h&wait=1")
    row = page.locator("tr[data-nr='24']")
    when, value = row.locator("th").text_content(), row.locator("td").first.text_content()
    plane = page.locator("[data-plot] .plane")
    box = plane.bounding_box()
    assert box
    assert when
    assert value
    page.mouse.move(box["x"] + box["width"] * 24.5 / 48, box["y"] + 60)
    told = page.locator(".told-here")
    assert told.is_visible()
    assert when in (told.text_content() or "")
    assert value in (told.text_content() or "")
    page.mouse.move(5, 5)
    assert not told.is_visible()


def test_keys_read_and_choose_a_part_of_a_line(page: Page, day: Seeded) -> None:
    """The five things to ask, each holding the chosen time; no value narrows where none was chosen."""
    page.goto("/explore?metric=lcp&group_by=route&device=mobile&range=1h&wait=1")
    plane = page.locator("[data-plot] .plane")
    plane.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    words = page.locator(".pane [role=status]").text_content() or ""
    assert re.match(r"(\d+ \w+ )?\d\d:\d\d – \d\d:\d\d: ", words)
    page.keyboard.press("Shift+ArrowLeft")
    links = page.locator("[data-chosen] a")
    assert links.all_text_contents() == [
        "Zoom to this time", "Its rows", "Compare with the rest", "Their traces", "Make an alert",
    ]  # fmt: skip
    step = day.question.span / 48
    begins, ends = (milliseconds(day.question.until - step * n) for n in (3, 1))
    for nr in range(5):
        asked = parse_qs(urlsplit(links.nth(nr).get_attribute("href") or "").query)
        assert abs(int(asked["from"][0]) - begins) <= 1
        assert abs(int(asked["to"][0]) - ends) <= 1
        assert (asked["device"], "lcp" in asked) == (["mobile"], False)
    page.keyboard.press("Escape")
    assert not page.locator("[data-chosen]").is_visible()
    page.keyboard.press("ArrowLeft")
    page.locator("[data-chosen] a", has_text="Make an alert").click()
    page.wait_for_url("**/rules?**")
    text = page.locator("#text").input_value()
    assert "metric: lcp" in text
    assert "device: mobile" in text


def test_a_drag_over_a_line_zooms(page: Page, day: Seeded) -> None:
    page.goto("/feeds?range=1h&wait=1")
    plane = page.locator("[data-plot] .plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25 + 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75 - 2, box["y"] + 60, steps=5)
    page.mouse.up()
    page.locator("[data-chosen] a", has_text="Zoom").click()
    page.wait_for_url("**/feeds?**from=**")
    asked = parse_qs(urlsplit(page.url).query)
    quarter = day.question.span / 4
    assert int(asked["from"][0]) == milliseconds(day.question.since + quarter)
    assert int(asked["to"][0]) == milliseconds(day.question.until - quarter)
