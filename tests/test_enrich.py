"""What the collector adds, and what it takes away."""

from typing import Any

import pytest

from collector.beacon import decode
from collector.enrich import STEPS, Arrival, Line, enrich, fingerprint_of, route_of
from collector.settings import App
from tests.conftest import USER_AGENT, a_beacon, as_bytes

SHOP = App("shop", ("k",), ("*",), team="web")
NOW = 1_790_000_000_000
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"  # noqa: E501


def enriched(*events: dict[str, Any], agent: str = USER_AGENT, **fields: Any) -> Line:
    sent = {"sent_at": NOW - 50, "view_started_at": NOW - 3_000} | fields
    line = enrich(decode(as_bytes(a_beacon(*events, **sent))), Arrival(SHOP, NOW, agent))
    assert isinstance(line, Line)
    return line


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/products", "/products"),
        ("/products/42", "/products/:id"),
        ("/products/42/reviews/7/", "/products/:id/reviews/:id/"),
        ("/u/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/u/:id"),
        ("/commit/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commit/:id"),
        ("/deadbeef", "/deadbeef"),
        ("/v2/items", "/v2/items"),
        ("/a/iPhone15-pro", "/a/iPhone15-pro"),
        ("/s/Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5", "/s/:id"),
        ("/how-we-made-our-checkout-page-faster", "/how-we-made-our-checkout-page-faster"),
    ],
)
def test_routes(path: str, route: str) -> None:
    assert route_of(path) == route


def test_a_route_the_page_names_is_believed() -> None:
    assert enriched(route="/p/:slug", url="https://x.example/p/blue-shoe").route == "/p/:slug"


def test_addresses_lose_what_may_be_private() -> None:
    line = enriched(
        {"type": "fetch", "name": "GET", "url": "https://u:p@x.example/api/items/7?token=abc#frag"},
        {"type": "fetch", "name": "GET", "url": "/api/search?q=me%40home"},
        {"type": "fetch", "name": "GET", "url": "https://other.example:8443/a?b=c"},
        {"type": "fetch", "name": "GET", "url": "http://[::1/?secret=1"},
        url="https://x.example/cart?session=abc",
    )
    assert (line.origin, line.url) == ("https://x.example", "/cart")
    assert [(e.url, e.endpoint) for e in line.events[:3]] == [
        ("/api/items/7", "/api/items/:id"),
        ("/api/search", "/api/search"),
        ("https://other.example:8443/a", "https://other.example:8443/a"),
    ]
    assert "secret" not in line.events[3].url


def test_browser_and_device_come_from_the_header() -> None:
    phone = enriched(agent=PHONE)
    assert (phone.browser, phone.os, phone.device, phone.bot_score) == ("Mobile Safari", "iOS", "mobile", 0)
    desk = enriched()
    assert (desk.browser, desk.browser_version, desk.os, desk.device) == ("Chrome", "156", "Linux", "desktop")
    assert enriched(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)").bot_score == 100
    assert enriched(agent=USER_AGENT.replace("Chrome/", "HeadlessChrome/")).bot_score == 100
    assert enriched(agent="").browser == "Other"


def test_a_plainly_wrong_clock_is_shifted_as_a_whole_and_a_slow_way_is_not() -> None:
    slow = enriched(sent_at=NOW - 30_000)
    assert (slow.clock, slow.base_at, slow.clock_offset_ms) == ("", NOW - 3_000, 30_000)
    wrong = enriched(sent_at=NOW - 7_200_000, view_started_at=NOW - 7_203_000)
    assert (wrong.clock, wrong.base_at, wrong.view_started_at) == ("shifted", NOW - 3_000, NOW - 7_203_000)
    ahead = enriched(sent_at=NOW + 7_200_000, view_started_at=NOW + 7_197_000)
    assert (ahead.clock, ahead.base_at) == ("shifted", NOW - 3_000)
    late = enriched(sent_at=NOW - 7_200_000, view_started_at=NOW - 7_203_000, deferred=True)
    assert (late.clock, late.base_at, late.clock_offset_ms) == ("deferred", NOW - 7_203_000, 0)


def test_the_group_of_an_error_survives_a_rebuild() -> None:
    def error(message: str, stack: str) -> str:
        (event,) = decode(
            as_bytes(a_beacon({"type": "error", "error_type": "TypeError", "message": message, "stack": stack}))
        ).events
        return fingerprint_of(event)

    before = error(
        "item 17 of 'cart' is gone",
        "TypeError: x\n    at add (https://x/app.3f9a1c2b.js:1:2048)\n    at https://x/app.3f9a1c2b.js:1:9",
    )
    after = error(
        "item 99 of 'list' is gone",
        "TypeError: x\n    at add (https://x/app.77aa01ff.js:3:17)\n    at https://x/app.77aa01ff.js:8:1",
    )
    other = error("item 17 of 'cart' is gone", "TypeError: x\n    at remove (https://x/app.3f9a1c2b.js:1:2048)")
    firefox = error("item 1 of 'a' is gone", "add@https://x/app.77aa01ff.js:3:17\n@https://x/app.77aa01ff.js:8:1")
    assert before == after == firefox != other


def test_steps_are_named_for_what_they_may_do() -> None:
    assert all(step.__name__.startswith(("put_", "drop_")) for step in STEPS)
    assert all(step.__doc__ for step in STEPS)


def test_flags_and_refusals_travel_with_the_line() -> None:
    line = enriched({"type": "view"}, {"type": "nonsense"}, flags={"new": ["on", "default"]}, dropped={"capped": 3})
    assert (line.flags, line.flag_sources) == ({"new": "on"}, {"new": "default"})
    minute = NOW // 60_000 * 60
    assert line.outcomes == [
        {"app": "shop", "minute": minute, "outcome": "event_unknown_type", "n": 1},
        {"app": "shop", "minute": minute, "outcome": "client_capped", "n": 3},
    ]
