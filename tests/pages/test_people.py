"""One user, session or team: all that happened is there; they are slower only where chance does not explain it."""

import math
from typing import Any

import pytest
from playwright.sync_api import Browser

from collector.query.people import Rates
from dashboards.panels import Panel
from dashboards.people import are_most
from tests.pages.conftest import Seeded
from tests.pages.planted import SLOW_USER, Day
from tests.pages.test_overview import p75


@pytest.fixture(scope="module")
def slow(day: Seeded) -> list[dict[str, Any]]:
    """The planted user, whose views take 2.6 times as long as everybody's."""
    shop = Day(77, day.question.at)
    views = [view for i in range(3) for view in shop.session(SLOW_USER, day.question.at - 900_000 + i * 200_000, 4)]
    day.insert(shop.traffic, "slow user")
    day.traffic.lines.extend(shop.traffic.lines)
    day.traffic.views.extend(views)
    return views


def page_of(day: Seeded, path: str) -> dict[str, Any]:
    reply = day.client.get(path)
    assert reply.status_code == 200, path
    data: dict[str, Any] = reply.json()
    assert "problems" not in data
    return data


def test_a_slow_user_is_told_from_everybody_on_the_same_routes(day: Seeded, slow: list[dict[str, Any]]) -> None:
    data = page_of(day, f"/users/{SLOW_USER}.json")
    routes = {view["route"] for view in slow}
    own = {view["view_id"] for view in slow}
    everybody = {view["view_id"] for view in day.traffic.views if view["route"] in routes}
    (lcp,) = [row for row in data["standings"] if row["name"] == "LCP"]
    newest = {view: value for view, (value, seen, _) in day.traffic.newest("LCP").items() if seen != "hidden"}
    level = p75([value for view, value in newest.items() if view in everybody])
    assert lcp["p75"] == pytest.approx(level)
    values = [value for view, value in newest.items() if view in own]
    assert (lcp["own_n"], lcp["own_above_p75"]) == (len(values), sum(value > level for value in values))
    assert lcp["is_slower"]
    below = sum(math.comb(len(values), k) * 0.25**k * 0.75 ** (len(values) - k) for k in range(lcp["own_above_p75"]))
    assert lcp["chance"] == pytest.approx(1 - below)
    html = day.client.get(f"/users/{SLOW_USER}").text
    assert "slower than others" in html
    assert all(f"/views/{view}?" in html for view in own), "every view is one click from its trace"
    assert all(f"/sessions/{view['session_id']}?" in html for view in slow)


def test_other_users_are_not_blamed(day: Seeded) -> None:
    blamed = 0
    users = sorted({view["user_id"] for view in day.traffic.views} - {"", SLOW_USER})[:12]
    for user in users:
        rows = page_of(day, f"/users/{user}.json")["standings"]
        blamed += any(row["is_slower"] for row in rows)
    assert blamed <= 2, "three vitals, once in forty times each"


def test_a_session_is_told_whole_whatever_the_range(day: Seeded, slow: list[dict[str, Any]]) -> None:
    session = slow[0]["session_id"]
    data = page_of(day, f"/sessions/{session}.json?range=15m")
    assert {row["view_id"] for row in data["views"]} == {v["view_id"] for v in slow if v["session_id"] == session}
    moments = [event for line, event in day.traffic.events("error") if line["session_id"] == session]
    assert len([m for m in data["moments"] if m["type"] == "error"]) == len(moments)
    assert day.client.get("/sessions/" + "f" * 32).status_code == 404


def test_a_team_is_held_against_everybody(day: Seeded) -> None:
    data = page_of(day, "/teams/shop.json")
    own, everybody = data["rates"]
    assert own == everybody | {"whose": "own"}, "here one team owns everything"


def test_a_team_that_is_most_of_everybody_is_not_held_against_itself(day: Seeded) -> None:
    data = page_of(day, "/teams/shop.json")
    views = {row["whose"]: row["views"] for row in data["rates"]}
    html = day.client.get("/teams/shop").text
    assert ("too few others to say" in html) == (views["own"] * 2 > views["everybody"])

    def rates(views: int) -> Panel:
        return Panel(Rates(views, 1, 1, 0, 0, 0, 0))

    assert are_most({"rates": rates(51), "all": rates(100)})
    assert not are_most({"rates": rates(50), "all": rates(100)})
    assert not are_most({"rates": rates(50)})


def test_what_is_searched_is_found_by_its_whole_name(day: Seeded) -> None:
    view = next(view for view in day.traffic.views if view["user_id"])
    for text, path in (
        (view["view_id"], f"/views/{view['view_id']}"),
        (view["session_id"], f"/sessions/{view['session_id']}"),
        (view["trace_id"], f"/traces/{view['trace_id']}"),
        (view["user_id"], f"/users/{view['user_id']}"),
        ("/products/:id", "/routes"),
        ("shop", "/teams/shop"),
    ):
        reply = day.client.get("/search", params={"text": text, "device": "mobile"})
        assert reply.status_code == 303, text
        assert reply.headers["location"].startswith(f"{path}?")
        assert "device=mobile" in reply.headers["location"], "no link loses a filter"
    for text in ("nobody knows", "<script>", "' OR 1=1 --", ""):
        assert day.client.get("/search", params={"text": text}).status_code == 404


def test_what_happens_to_a_user_and_whether_it_is_only_them(
    browser: Browser, day: Seeded, slow: list[dict[str, Any]]
) -> None:
    """Reader's task (d), by keyboard and by mouse: from the overview to the answer in at most three steps."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    base = str(day.client.base_url).rstrip("/")
    page.goto(f"{base}/?wait=1")
    page.keyboard.press("/")
    page.keyboard.type(SLOW_USER)
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/**")
    assert "slower than others" in page.inner_text("main")
    assert page.locator(".timeline > li:not(.pause)").count() == len(slow)
    page.locator(".timeline a").first.click()
    page.wait_for_url("**/views/**")
    page.close()
