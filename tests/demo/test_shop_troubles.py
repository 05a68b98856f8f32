"""Each trouble of the control page does what it says, to a shop that is otherwise healthy."""

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Route

from collector.demo.troubles import NAMES
from tests.demo.processes import Demo
from tests.demo.sink import SERVER, Sink
from tests.demo.test_shop_trace import DOCUMENT, offered

COMMENTED = 7


@pytest.fixture(scope="module")
def healthy(sink: Sink) -> Iterator[str]:
    """A shop of this module's own: troubles are planted in it."""
    demo = Demo("--port=0", f"--collector={sink.url}", "--trouble=none")
    try:
        yield demo.opened()
    finally:
        demo.stop()


@pytest.fixture(autouse=True)
def _mended(healthy: str) -> Iterator[None]:
    yield
    plant(healthy, "")


def plant(shop: str, name: str) -> None:
    assert httpx.post(f"{shop}/control", content=f"trouble={name}").status_code == 303


def features_of(html: str) -> dict[str, list[object]]:
    return dict(json.loads(re.findall(r'id="features">(.*?)</script>', html)[0]))


def test_one_trouble_at_a_time(healthy: str) -> None:
    page = httpx.get(f"{healthy}/control").text
    assert [name in page for name in NAMES] == [True] * len(NAMES)
    assert "All is well" in page
    plant(healthy, "bad-release")
    plant(healthy, "slow-voting")
    assert httpx.get(f"{healthy}/control").text.count('class="on"') == 1
    assert 'data-release="2.14.0"' in httpx.get(f"{healthy}/cart").text


def test_only_the_control_page_plants(healthy: str) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.post(f"{healthy}/control", content="trouble=scroll", headers=elsewhere).status_code == 403
    assert httpx.post(f"{healthy}/control", content="trouble=rain").status_code == 400
    assert "All is well" in httpx.get(f"{healthy}/control").text


def test_without_the_flag_service_pages_remember_and_then_fall_back(healthy: str) -> None:
    with httpx.Client(base_url=healthy) as known:
        known.get("/cart")  # where one gets one's cookie
        for _ in range(20):  # on a machine that stalls even a healthy flag service is now and then too late
            live = features_of(known.get("/cart").text)
            if {source for _, source in live.values()} == {"live"}:
                break
        assert {source for _, source in live.values()} == {"live"}
        plant(healthy, "flags-away")
        assert features_of(known.get("/cart").text) == {name: [value, "cached"] for name, (value, _) in live.items()}
    stranger = features_of(httpx.get(f"{healthy}/cart").text)
    assert set(map(tuple, stranger.values())) == {(False, "default")}


@pytest.mark.parametrize("planted", ["", "n-plus-one"])
def test_comments_are_moderated_at_once_or_one_by_one(healthy: str, sink: Sink, planted: str) -> None:
    plant(healthy, planted)
    reply = httpx.get(f"{healthy}/products/{COMMENTED}", headers=DOCUMENT)
    shown = reply.text.count("<q>")
    assert shown > 1
    spans = sink.trace(offered(reply)[0], {"web", "comment", "moderation", "photo"})
    asked = [span for span in spans if (span.service, span.kind) == ("moderation", SERVER)]
    assert len(asked) == (shown if planted else 1)


def test_a_slow_service_is_slow_and_nothing_else_is(healthy: str) -> None:
    def took(path: str) -> float:
        began = time.monotonic()
        assert httpx.get(healthy + path).status_code == 200
        return time.monotonic() - began

    before = took("/api/votes?ids=7")
    plant(healthy, "slow-voting")
    assert took("/api/votes?ids=7") > 0.5 > before
    assert took("/cart") < 0.5


def test_the_bad_release_says_its_name_and_dawdles(healthy: str, sink: Sink) -> None:
    plant(healthy, "bad-release")
    reply = httpx.get(f"{healthy}/products", headers=DOCUMENT)
    assert 'data-release="2.15.0"' in reply.text
    assert "wishlist.js" in reply.text
    assert any(span.name == "work out recommendations" for span in sink.trace(offered(reply)[0], {"web"}))


def test_the_partner_is_another_origin_and_can_be_away(healthy: str) -> None:
    (badge,) = re.findall(r'<script src="(http://localhost:\d+/partner/badge.js)">', httpx.get(healthy).text)
    there = badge.replace("localhost", "127.0.0.1")
    assert httpx.get(there).status_code == 200
    plant(healthy, "partner-away")
    assert httpx.get(there, timeout=10).status_code == 503


def test_clocks_go_wrong_before_anything_looks_at_them(healthy: str, browser: Browser) -> None:
    plant(healthy, "skewed-clock")
    page = browser.new_page()
    page.goto(f"{healthy}/cart")
    ahead = page.evaluate("Date.now()") / 1000 - time.time()
    assert 90 < ahead < 100
    assert abs(page.evaluate("performance.timeOrigin + performance.now() - Date.now()")) < 1_000


def test_the_careful_list_asks_once_until_it_is_answered(healthy: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/products?*", hold)
    page.goto(f"{healthy}/products")
    page.evaluate("scrollTo(0, document.body.clientHeight)")
    for _ in range(8):
        page.mouse.wheel(0, -4)
        page.wait_for_timeout(50)
    assert len(held) == 1
    height = page.evaluate("document.body.clientHeight")
    held[0].continue_()
    page.wait_for_function("height => document.body.clientHeight > height", arg=height)
    page.unroute("**/api/products?*")


def test_what_is_in_the_basket_is_ordered(healthy: str) -> None:
    with httpx.Client(base_url=healthy) as visitor:
        assert visitor.post("/api/orders").status_code == 409
        visitor.post("/api/cart", json={"id": 7})
        visitor.post("/api/cart", json={"id": 7})
        placed = visitor.post("/api/orders")
        assert placed.status_code == 201
        assert placed.json()["total"] == 2 * price_of(visitor, 7)
        assert "Nothing in it yet" in visitor.get("/cart").text


def price_of(visitor: httpx.Client, number: int) -> int:
    """In cents."""
    return round(float(visitor.get(f"/api/products/{number}").json()["price"].replace("€", "").replace(",", "")) * 100)


def test_people_who_come_back_are_known_and_some_stay_strangers(healthy: str) -> None:
    users = set()
    for _ in range(12):
        with httpx.Client(base_url=healthy) as visitor:
            assert "data-user" not in visitor.get("/cart").text
            users.add(tuple(re.findall(r'data-user="(u-\d{4})"', visitor.get("/cart").text)))
    assert len(users) > 3
