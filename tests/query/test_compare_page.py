"""Reader's task: a planted cause (one browser on one release on one route) stands first on `/compare`."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.query.conftest import PLANTED


@pytest.fixture
def visit(browser: Browser) -> Page:
    return browser.new_page()


def first_finding(page: Page) -> str:
    page.wait_for_selector(".ranked li")
    return page.inner_text(".ranked li:first-child .what")


def test_by_mouse_from_the_overview(visit: Page, pages: httpx.Client) -> None:
    visit.goto(f"{pages.base_url}/?app=few&wait=1")
    visit.click("nav[aria-label=Pages] >> text=Compare")
    visit.click("text=views with a poor LCP")
    said = first_finding(visit)
    for name, value in PLANTED.items():
        assert f"{name} {value}" in said.replace("\n", " ")
    visit.click(".ranked li:first-child .what a")
    asked = parse_qs(urlsplit(visit.url).query)
    assert {name: asked[name] for name in PLANTED} == {name: [value] for name, value in PLANTED.items()}
    assert asked["lcp"] == [">4000"]
    assert visit.locator(".chip").count() == 4


def test_by_keyboard(visit: Page, pages: httpx.Client) -> None:
    visit.goto(f"{pages.base_url}/compare?app=few&wait=1")
    visit.focus("main")
    for _ in range(30):
        visit.keyboard.press("Tab")
        if visit.evaluate("document.activeElement.textContent").strip() == "views with a poor LCP":
            break
    visit.keyboard.press("Enter")
    visit.wait_for_url("**lcp=*")
    assert "Mobile Safari" in first_finding(visit)


def test_without_a_choice_it_is_the_time_before(pages: httpx.Client) -> None:
    html = pages.get("/compare?app=few&range=15m").text
    assert "the same length of time before" in html
    rows = pages.get("/compare.json?app=few&range=15m").json()
    assert rows["compared_with"] == "before"
    assert rows["chosen_n"] + rows["others_n"] > 0


def test_every_filtered_page_offers_the_rest(pages: httpx.Client) -> None:
    assert "compare with the rest" in pages.get("/?app=few&browser=Chrome").text
    assert "compare with the rest" not in pages.get("/?app=few").text


def test_what_cannot_be_compared_is_said(pages: httpx.Client) -> None:
    reply = pages.get("/compare?app=few&compare=colours")
    assert reply.status_code == 400
    assert "release=2.14" in reply.text
    nothing = pages.get("/compare?app=few&browser=Lynx")
    assert nothing.status_code == 200
    assert "Nothing is chosen" in nothing.text
    everything = pages.get("/compare?app=few&browser=!Lynx")
    assert "There is nothing to compare with" in everything.text


def test_twins(pages: httpx.Client) -> None:
    rows = pages.get("/compare.csv?app=few&lcp=>4000&table=findings").text.splitlines()
    assert rows[0].startswith("what,chosen_share,others_share,difference,low,high")
    assert all(value in rows[1] for value in PLANTED.values())
