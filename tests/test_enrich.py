"""What the collector adds, and what it takes away."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from collector.agents import Hints, agent_of
from collector.beacon import Beacon, decode
from collector.budgets import LIMIT
from collector.enrich import STEPS, Line, enrich
from collector.place import BadPlaces, Places
from collector.settings import App
from tests.conftest import USER_AGENT, a_beacon, an_arrival, as_bytes

SHOP = App("shop", ("k",), ("*",), team="web")
NOW = 1_790_000_000_000
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"  # noqa: E501


def enriched(*events: dict[str, Any], agent: str = USER_AGENT, **fields: Any) -> Line:
    sent = {"sent_at": NOW - 50, "view_started_at": NOW - 3_000} | fields
    line = enrich(decode(as_bytes(a_beacon(*events, **sent))), an_arrival(SHOP, NOW, agent))
    assert isinstance(line, Line)
    return line


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
    assert enriched(agent="curl/8.0").bot_score == 90


def test_client_hints_are_believed_over_a_frozen_header() -> None:
    brands = '"Chromium";v="156", "Microsoft Edge";v="155", "Not)A;Brand";v="8"'
    edge = agent_of(
        USER_AGENT.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64"), Hints(brands, "?0", '"Windows"')
    )
    assert (edge.browser, edge.browser_version, edge.os, edge.os_version, edge.device) == (
        "Edge",
        "155",
        "Windows",
        "",
        "desktop",
    )
    android = USER_AGENT.replace("X11; Linux x86_64", "Linux; Android 10; K").replace(" Safari", " Mobile Safari")
    phone = agent_of(android, Hints(brands.replace("Microsoft Edge", "Google Chrome"), "?1", '"Android"'))
    assert (phone.browser, phone.os, phone.os_version, phone.device) == ("Chrome Mobile", "Android", "", "mobile")
    mac = agent_of(
        USER_AGENT.replace("X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7"), Hints(platform='"macOS"')
    )
    assert (mac.browser, mac.os, mac.os_version) == ("Chrome", "Mac OS X", "")
    assert agent_of(PHONE).os_version == "17.4"
    emulated = agent_of(android.replace("Android 10; K", "Android 16; Pixel 9"), Hints(platform='"Linux"'))
    assert (emulated.os, emulated.os_version) == ("Linux", "")


def test_nothing_of_an_event_or_a_beacon_keeps_an_email_address() -> None:
    mail = "jo@mail.example"
    event = {"type": "error", "name": mail, "target": f"a[{mail}]", "message": mail, "stack": mail, "breadcrumbs": mail}
    event |= {"attributes": {"who": mail}, "url": f"/u/{mail}"}
    other = {"type": "error", "crumbs": [f"1 click a[{mail}]"]}
    line = enriched(event, other, url=f"https://x.example/{mail}", attributes={"w": mail}, route=f"/{mail}")
    assert mail not in msgspec.json.encode(line).decode()


def test_a_feed_without_a_name_goes_by_its_address() -> None:
    addresses = ["/api/lists/7/items?page=2", "https://api2.example/v1/feed", "/named"]
    feeds = [{"type": "feed", "url": url} for url in addresses]
    feeds[2]["name"] = "products"
    assert [event.name for event in enriched(*feeds, url="https://x.example/").events] == [
        "/api/lists/:n/items", "https://api2.example/v:n/feed", "products",
    ]  # fmt: skip


def test_an_error_has_all_that_came_before_it_though_a_beacon_says_it_once() -> None:
    told = [["10 click #a", "20 error no basket"], [], ["30 error no basket ×2", "-5 view http://x.example/a b"]]
    line = enriched(*({"type": "error", "crumbs": crumbs} for crumbs in told))
    first = [[10, "click", "#a"], [20, "error", "no basket"]]
    assert [json.loads(event.breadcrumbs) for event in line.events] == [
        first, first, [first[0], [30, "error", "no basket ×2"], [-5, "view", "http://x.example/a b"]],
    ]  # fmt: skip
    assert b'"crumbs"' not in msgspec.json.encode(line), "said in one form only"


def test_no_more_than_twenty_breadcrumbs_are_kept_and_what_is_none_is_left_out() -> None:
    first = [f"{n} click #b{n}" for n in range(15)]
    line = enriched(
        {"type": "error", "crumbs": first},
        {"type": "error", "crumbs": ["soon click #c", "9", "", "15 click", *(f"{n} key #b{n}" for n in range(15, 29))]},
        {"type": "error", "breadcrumbs": '[[1,"click","#own"]]'},
    )
    assert [crumb[0] for crumb in json.loads(line.events[1].breadcrumbs)] == list(range(9, 29))
    assert line.events[2].breadcrumbs == '[[1,"click","#own"]]', "as snippets said it at first"


def test_a_request_whose_status_nobody_knows_left_a_breadcrumb_without_one() -> None:
    crumbs = ["5 fetch GET /early 0", "9 xhr GET /late 200", "12 fetch GET /page/0 offline", "15 click a 0"]
    line = enriched({"type": "error", "crumbs": crumbs})
    texts = [text for _, _, text in json.loads(line.events[0].breadcrumbs)]
    assert texts == ["GET /early", "GET /late 200", "GET /page/0 offline", "a 0"]


def test_columns_of_words_have_a_budget() -> None:
    arrival = an_arrival(SHOP, NOW)
    seen = set()
    for n in range(LIMIT + 50):
        event = {"type": "mark", "name": "m", "cause": f"c{n}"}
        line = enrich(decode(as_bytes(a_beacon(event, release=f"r{n}", attributes={f"k{n}": "v"}))), arrival)
        assert isinstance(line, Line)
        seen.add((line.release, line.events[0].cause, *line.attributes))
    assert len(seen) == LIMIT + 1
    assert ("{other}", "{other}", "{other}") in seen


def test_names_have_a_budget_for_each_type_and_vitals_keep_theirs() -> None:
    arrival = an_arrival(SHOP, NOW)
    named: dict[str, set[str]] = {"mark": set(), "feed": set(), "vital": set()}
    for n in range(LIMIT + 50):
        events = (
            {"type": "mark", "name": f"m{n}"},
            {"type": "feed", "name": "reviews"},
            {"type": "vital", "name": "LCP", "value": 1},
        )
        line = enrich(decode(as_bytes(a_beacon(*events))), arrival)
        assert isinstance(line, Line)
        for event in line.events:
            named[event.type].add(event.name)
    assert len(named["mark"]) == LIMIT + 1
    assert "{other}" in named["mark"]
    assert (named["feed"], named["vital"]) == ({"reviews"}, {"LCP"})


def test_routes_have_owners() -> None:
    app = App("shop", ("k",), ("*",), team="web", owners=(("/checkout/**", "payments"), ("/*/edit", "desk")))
    assert [app.team_of(r) for r in ("/checkout/pay/:id", "/a/edit", "/a/b/edit", "/")] == [
        "payments",
        "desk",
        "web",
        "web",
    ]


def test_countries_come_from_the_operators_file_or_header(tmp_path: Path) -> None:
    writer = MMDBWriter(4, "Test-Country", languages=["en"])
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "NZ"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country_code": "PE"})
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    places = Places(tmp_path / "places.mmdb")
    addresses = ("203.0.113.9", "198.51.100.1", "192.0.2.1", "nonsense", "::1")
    assert [places.country(address) for address in addresses] == ["NZ", "PE", "", "", ""]
    assert places.country("203.0.113.9", header="de") == "DE"
    assert places.country("203.0.113.9", header="XX") == "NZ"
    assert Places(None).country("203.0.113.9") == ""
    (tmp_path / "broken.mmdb").write_text("no database")
    with pytest.raises(BadPlaces, match=r"broken\.mmdb"):
        Places(tmp_path / "broken.mmdb")


def test_a_plainly_wrong_clock_is_shifted_as_a_whole_and_a_slow_way_is_not() -> None:
    slow = enriched(sent_at=NOW - 30_000)
    assert (slow.clock, slow.base_at, slow.clock_offset_ms) == ("", NOW - 3_000, 30_000)
    wrong = enriched(sent_at=NOW - 7_200_000, view_started_at=NOW - 7_203_000)
    assert (wrong.clock, wrong.base_at, wrong.view_started_at) == ("shifted", NOW - 3_000, NOW - 7_203_000)
    ahead = enriched(sent_at=NOW + 7_200_000, view_started_at=NOW + 7_197_000)
    assert (ahead.clock, ahead.base_at) == ("shifted", NOW - 3_000)
    late = enriched(sent_at=NOW - 7_200_000, view_started_at=NOW - 7_203_000, deferred=True)
    assert (late.clock, late.base_at, late.clock_offset_ms) == ("deferred", NOW - 7_203_000, 0)


def test_steps_are_named_for_what_they_may_do() -> None:
    assert all(step.__name__.startswith(("put_", "drop_")) for step in STEPS)
    assert all(step.__doc__ for step in STEPS)


def test_what_the_page_said_is_copied_under_its_own_names() -> None:
    said = {
        "seq": 7, "user_id": "u-1", "route": "/named", "navigation": "soft", "release": "2.0", "environment": "test",
        "viewport_width": 1280, "viewport_height": 720, "connection": "4g", "device_memory": 8.0, "save_data": True,
        "visibility": "mixed", "sample_n": 4, "snippet": "0.9", "attributes": {"plan": "free"}, "trace_id": "a" * 32,
        "session_id": "b" * 32, "view_id": "c" * 32, "view_started_at": NOW - 3_000.0,
    }  # fmt: skip
    made_otherwise = {"url", "sent_at", "flags", "events"}
    assert set(Line.__struct_fields__) & set(Beacon.__struct_fields__) == set(said) | made_otherwise
    line = enriched({"type": "view"}, **said)
    assert {name: getattr(line, name) for name in said} == said
    assert [event.type for event in line.events] == ["view"]


def test_what_a_page_may_not_say_of_its_events_is_taken_back() -> None:
    line = enriched({"type": "vital", "name": "LCP", "value": 1, "clamped": True, "endpoint": "/x", "fingerprint": "f"})
    assert [(e.clamped, e.endpoint, e.fingerprint) for e in line.events] == [(False, "", "")]


def test_flags_and_refusals_travel_with_the_line() -> None:
    line = enriched({"type": "view"}, {"type": "nonsense"}, flags={"new": ["on", "default"]}, dropped={"capped": 3})
    assert (line.flags, line.flag_sources) == ({"new": "on"}, {"new": "default"})
    minute = NOW // 60_000 * 60
    assert line.outcomes == [
        {"app": "shop", "minute": minute, "outcome": "event_unknown_type", "n": 1},
        {"app": "shop", "minute": minute, "outcome": "client_capped", "n": 3},
    ]
