"""Routes and one route: heat, parts, elements and breakdowns say what the rows say; slow views lead to traces."""

import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from collector.query.question import milliseconds
from collector.query.route import edges
from collector.query.vitals import LIMITS
from tests.pages.conftest import Seeded
from tests.pages.test_overview import Links, p75

ROUTE = "/products/:id"


def ask(day: Seeded, **more: str) -> dict[str, Any]:
    reply = day.client.get("/routes.json", params={"route": ROUTE, "range": "24h"} | more)
    data: dict[str, Any] = reply.json()
    assert "problems" not in data
    return data


def newest(day: Seeded, vital: str) -> dict[str, float]:
    """The newest report of each of the route's views that somebody saw."""
    own = {view["view_id"] for view in day.traffic.views if view["route"] == ROUTE}
    return {
        view: value for view, (value, seen, _) in day.traffic.newest(vital).items() if view in own and seen != "hidden"
    }


@pytest.mark.parametrize("vital", list(LIMITS))
def test_the_heat_holds_every_view_once_where_it_belongs(day: Seeded, vital: str) -> None:
    cells = ask(day, metric=vital.lower())["heat"]
    bounds = [0.0, *edges(vital), float("inf")]
    expected = Counter(max(edge for edge in bounds if edge <= value) for value in newest(day, vital).values())
    told: Counter[float] = Counter()
    for cell in cells:
        told[cell["from"]] += cell["views"]
    assert told == expected


def test_a_heatmaps_cell_opens_its_slowest_view(day: Seeded) -> None:
    html = day.client.get("/routes", params={"route": ROUTE, "range": "24h"}).text
    heat = html.split('class="plot heat"')[1].split("<details")[0]
    opened = {urlsplit(href).path.removeprefix("/views/") for href in Links(heat).found}
    values = newest(day, "LCP")
    assert opened <= set(values)
    assert max(values, key=lambda view: values[view]) in opened


def test_slow_views_are_the_slowest_and_lead_to_their_traces(day: Seeded) -> None:
    rows = ask(day)["slow"]
    values = newest(day, "LCP")
    slowest = sorted(values, key=lambda view: -values[view])[: len(rows)]
    assert [row["view_id"] for row in rows] == slowest
    assert [row["value"] for row in rows] == [pytest.approx(values[view]) for view in slowest]
    traces = {view["view_id"]: view["trace_id"] for view in day.traffic.views}
    assert [row["trace_id"] for row in rows] == [traces[view] for view in slowest]


def test_elements_and_breakdowns_add_up(day: Seeded) -> None:
    data = ask(day)
    values = newest(day, "LCP")
    assert sum(row["views"] for row in data["elements"]) == len(values)
    assert sum(row["poor"] for row in data["elements"]) == sum(v > LIMITS["LCP"].poor for v in values.values())
    views = {view["view_id"]: view for view in day.traffic.views}
    for dimension in ("device", "country", "connection", "release"):
        rows = {row["item"]: row for row in data["breakdown"] if row["dimension"] == dimension}
        for item, row in rows.items():
            own = [value for view, value in values.items() if views[view][dimension] == item]
            assert (row["views"], row["p75"]) == (len(own), pytest.approx(p75(own)))
        assert sum(row["views"] for row in rows.values()) == len(values)


def test_lcps_parts_are_medians_of_the_slowest_quarter_and_of_the_rest(day: Seeded) -> None:
    others, slow = ask(day)["parts"]
    values = newest(day, "LCP")
    limit = p75(list(values.values()))
    assert (slow["is_slow"], others["is_slow"]) == (True, False)
    assert slow["n"] == sum(value >= limit for value in values.values())
    assert slow["n"] + others["n"] == len(values)
    assert slow["load_ms"] > others["load_ms"], "in this shop images make the difference"


def test_the_table_is_sorted_by_what_is_clicked(day: Seeded) -> None:
    for sort, column in (("views", "views"), ("requests", "requests_per_view"), ("errors", "errors")):
        rows = day.client.get(f"/routes.json?range=24h&sort={sort}").json()["routes"]
        assert [row[column] for row in rows] == sorted((row[column] for row in rows), reverse=True)


def test_a_typed_address_leads_to_the_route(day: Seeded) -> None:
    reply = day.client.get("/routes/products/:id?device=mobile")
    assert reply.status_code == 307
    asked = parse_qs(urlsplit(reply.headers["location"]).query)
    assert (asked["route"], asked["device"]) == ([ROUTE], ["mobile"])
    home = day.client.get("/routes/")
    assert parse_qs(urlsplit(home.headers["location"]).query)["route"] == ["/"]


def test_a_release_is_marked_on_charts_from_its_first_view_on(day: Seeded) -> None:
    html = day.client.get("/routes", params={"route": ROUTE}).text
    titles = re.findall(r"<title>release (2\.1[45]\.0), first seen", html)
    assert set(titles) == {"2.15.0", "2.14.0"}
    assert titles.count("2.15.0") == 2, "on the heat and on the band"


def test_an_unknown_route_says_so(day: Seeded) -> None:
    assert "No view matches" in day.client.get("/routes?route=/nowhere").text


def test_a_dragged_part_is_asked_about(browser: Browser, day: Seeded) -> None:
    """The brush, by mouse and by keys: its links hold the part's time and values, and count what the cells count."""
    page = browser.new_page(viewport={"width": 1360, "height": 1000})
    base = str(day.client.base_url).rstrip("/")
    page.goto(f"{base}/routes?route={ROUTE}&range=1h&wait=1")
    plane = page.locator(".heat .plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25 + 3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75 - 3, box["y"] + 90, steps=6)
    page.mouse.up()
    chosen = page.locator(".heat [data-chosen] a", has_text="Only these views")
    asked = parse_qs(urlsplit(chosen.get_attribute("href") or "").query)
    since, until = milliseconds(day.question.since), day.question.at
    assert (int(asked["from"][0]), int(asked["to"][0])) == (since + (until - since) // 4, until - (until - since) // 4)
    least = float(asked["lcp"][0].removeprefix(">="))
    assert least in edges("LCP")
    expected = [
        value
        for view, (value, seen, came) in day.traffic.newest("LCP").items()
        if view in newest(day, "LCP") and int(asked["from"][0]) < came <= int(asked["to"][0]) and value >= least
    ]
    page.goto(f"{chosen.get_attribute('href')}&wait=1")  # the script made it whole
    assert f"p75 · n = {len(expected)}" in page.content()
    page.goto(f"{base}/routes?route={ROUTE}&range=1h&wait=1")
    page.locator(".heat .plane").focus()
    for key in ("ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
    asked = parse_qs(urlsplit(page.locator(".heat [data-chosen] a").first.get_attribute("href") or "").query)
    assert int(asked["to"][0]) - int(asked["from"][0]) == (until - since) // 20
    page.keyboard.press("Escape")
    assert not page.locator(".heat [data-chosen]").is_visible()
    page.close()


def test_a_release_that_came_is_marked_and_named(day: Seeded) -> None:
    html = day.client.get("/").text
    assert "Came while this ran:" in html
    assert html.count('<line class="release"') == 5 * 2, "two releases on five vitals"
    assert [row["name"] for row in day.client.get("/overview.json").json()["releases"]] == ["2.14.0", "2.15.0"]
