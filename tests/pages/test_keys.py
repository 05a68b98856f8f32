"""The readers' tasks by keyboard and by mouse, each within three steps; and the keys that every page knows."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from dashboards.site import GO, NAVIGATION
from tests.pages.conftest import Seeded
from tests.pages.planted import FLOODED_ROUTE


@pytest.fixture
def page(browser: Browser, day: Seeded) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1360, "height": 900}, base_url=str(day.client.base_url),
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    page = context.new_page()
    page.goto("/?wait=1")
    yield page
    context.close()


def test_from_the_overview_to_a_slow_views_trace_by_mouse(page: Page) -> None:
    """Reader's task (a): the worst route, one of its slowest views, its trace: two clicks."""
    page.locator("section:has(#routes) tbody a").first.click()
    page.wait_for_url("**/routes?**")
    page.locator("section:has(#slow) .views a").first.click()
    page.wait_for_url("**/views/**")
    assert page.locator("[role=treeitem]").count() > 5


def test_from_the_overview_to_a_slow_views_trace_by_keys(page: Page) -> None:
    for key in ("g", "r"):
        page.keyboard.press(key)
    page.wait_for_url("**/routes?**")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**route=**")
    page.keyboard.press("j")
    while "/views/" not in page.evaluate("document.activeElement.href"):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/views/**")
    assert page.locator("[role=treeitem]").count() > 5


def test_the_flood_is_found_by_mouse_and_by_keys(page: Page) -> None:
    """Reader's task (c): the planted fault is the first thing on the page of feeds."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Feeds").click()
    assert FLOODED_ROUTE in page.locator(".findings > li").first.inner_text()
    page.goto("/?wait=1")
    for key in ("g", "f"):
        page.keyboard.press(key)
    page.wait_for_url("**/feeds?**")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('li').innerText").count(FLOODED_ROUTE) == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/views/**")


def test_every_page_of_the_navigation_has_its_letter(page: Page) -> None:
    assert len(set(GO.values())) == len(GO), "no letter twice"
    assert {path for _, path in NAVIGATION} <= set(GO)
    for path in ("/pipeline", "/setup", "/"):
        page.keyboard.press("g")
        page.keyboard.press(GO[path])
        page.wait_for_url(lambda url, path=path: urlsplit(url).path == path)


def test_help_opens_and_closes(page: Page) -> None:
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    assert page.locator("dialog#keys kbd").count() > 20
    page.keyboard.press("j")
    assert page.locator(".row-here").count() == 0, "under a dialog nothing moves"
    page.keyboard.press("Escape")
    assert not page.locator("dialog#keys").is_visible()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    assert not page.locator("dialog#keys").is_visible()


def test_a_copied_link_stays_as_of_now(page: Page, day: Seeded) -> None:
    page.goto("/routes?wait=1&device=mobile&sort=views")
    page.keyboard.press("y")
    page.locator("#told:not(:empty)").wait_for()
    asked = parse_qs(urlsplit(page.evaluate("navigator.clipboard.readText()")).query)
    assert asked["at"] == [str(day.question.at)]
    assert (asked["device"], asked["sort"]) == (["mobile"], ["views"])
    assert "wait" not in asked


def test_a_row_is_compared_with_the_rest(page: Page) -> None:
    page.goto("/routes?wait=1")
    page.keyboard.press("j")
    route = parse_qs(urlsplit(page.evaluate("document.activeElement.href")).query)["route"]
    page.keyboard.press("c")
    page.wait_for_url("**/compare?**")
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["route"], asked["compare"]) == (route, ["rest"])


def test_letters_are_letters_where_one_types(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("jky?g")
    assert page.locator(".search input[type=search]").input_value() == "jky?g"
    assert page.locator(".row-here").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    assert page.locator(".row-here").count() == 0


def test_tables_are_sorted_by_their_heads(page: Page) -> None:
    """By keys: greatest first, then least, then as they came; a time in seconds is longer than one in milliseconds."""
    page.goto("/resources?wait=1")
    panel = page.locator("main table").first
    times = panel.locator("tbody tr td:nth-child(5)")

    def shown() -> list[float]:
        return [number * (1_000 if unit == "s" else 1) for number, unit in map(_with_unit, times.all_inner_texts())]

    as_they_came = times.all_inner_texts()
    head = panel.locator("thead th:nth-child(5)")
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert shown() == sorted(shown(), reverse=True)
    page.keyboard.press("Enter")
    assert shown() == sorted(shown())
    page.keyboard.press("Enter")
    assert times.all_inner_texts() == as_they_came
    assert head.get_attribute("aria-sort") is None


def _with_unit(text: str) -> tuple[float, str]:
    number, unit = text.split("\n")[0].split("\u202f")
    return float(number), unit.strip()
