"""A release that took effect and regressed shows both; so does a flag whose service was away."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from collector.query import flags, releases
from collector.query.question import Question
from collector.query.releases import Share
from tests.pages.conftest import Seeded
from tests.pages.shop import Shop

MINUTE = 60_000
BEGAN, HALF, WHOLE = 40, 30, 20  # minutes before the end: 3.1.0 is first seen, has half of the views, has all
AWAY_FROM, AWAY_TO = 15, 8  # minutes before the end between which the flag service did not answer
SLOWER = 1.8


class Shipped(NamedTuple):
    """What was planted."""

    question: Question
    shop: Shop

    def ago(self, minutes: float) -> datetime:
        return self.question.until - timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def shipped(seeded: Seeded) -> Shipped:
    """An hour of 900 views: 3.1.0 takes over from 3.0.9, is slower to paint and throws; a flag falls to its default."""
    shop = seeded.shop("shipped", seed=5)
    for nr in range(900):
        minutes = 59 * (1 - nr / 900) + 0.3
        started = shop.now_ms - 12_000 - int(minutes * MINUTE)
        part = 0.0 if minutes > BEGAN else 1.0 if minutes <= WHOLE else (0.25 if minutes > HALF else 0.6)
        is_new = shop.rng.random() < part
        is_away = AWAY_TO < minutes <= AWAY_FROM
        plain = shop.rng.random() < 0.5
        view = shop.view(
            shop.rng.choice(["/", "/products/:id"]), started, visibility="visible", ahead_ms=0,
            release="3.1.0" if is_new else "3.0.9",
            flags={"new-feed": "off" if is_away or plain else "on"},
            flag_sources={"new-feed": "default" if is_away else "live"},
        )  # fmt: skip
        _spoil(shop, view, is_new)
    seeded.insert(shop.traffic, "shipped")
    return Shipped(Question("shipped", seeded.question.until), shop)


def _spoil(shop: Shop, view: dict[str, Any], is_new: bool) -> None:
    for line in shop.traffic.lines[-3:]:
        line["events"] = [event for event in line.get("events", []) if event["type"] != "error"]
        for event in line["events"]:
            if is_new and event["type"] == "vital" and event["name"] == "LCP":
                event["value"] *= SLOWER
    if is_new and shop.rng.random() < 0.2:
        shop.traffic.lines[-2]["events"].append({
            "type": "error", "at": 900.0, "name": "error", "error_type": "TypeError", "message": "t.sum is not a function",
            "stack": "", "fingerprint": "beef00000000beef", "breadcrumbs": "[]",
        })  # fmt: skip


def test_a_release_takes_effect_when_so_many_views_ran_it(seeded: Seeded, shipped: Shipped) -> None:
    new, old = releases.adoptions(seeded.store, shipped.question)
    assert (new.name, old.name) == ("3.1.0", "3.0.9")
    assert abs(new.began_at - shipped.ago(BEGAN)) < timedelta(minutes=2)
    half, most, all_ = (moment for moment in new.effect if moment)
    assert shipped.ago(HALF + 1) < half < shipped.ago(WHOLE)
    assert shipped.ago(WHOLE + 1) < most <= all_ < shipped.ago(WHOLE - 5)
    assert new.share == 1
    assert new.views + old.views == 900
    assert old.effect[0] == old.began_at, "it had all views from its first on"


def test_when_a_release_took_effect_does_not_depend_on_the_time_that_is_asked(seeded: Seeded, shipped: Shipped) -> None:
    def said(**asked: str) -> dict[str, Any]:
        rows = seeded.client.get("/releases.json", params={"app": "shipped", **asked}).json()["releases"]
        return {row["release"]: [row["share"], *(row[f"at_{level}"] for level in (50, 95, 99))] for row in rows}

    hour = said(range="1h")
    assert hour["3.1.0"][0] == 1
    assert None not in hour["3.1.0"]
    assert said(range="24h") == said(range="7d") == hour
    assert said(range="15m")["3.1.0"] == hour["3.1.0"]
    assert hour["3.0.9"][0] == 0


def test_beside_the_one_before_the_slower_paint_and_the_errors_stand_out(seeded: Seeded, shipped: Shipped) -> None:
    found = releases.beside(seeded.store, shipped.question, "3.0.9", "3.1.0", shipped.ago(BEGAN))
    verdicts = {(pair.route, pair.vital): pair.verdict for pair in found.pairs}
    assert verdicts["", "LCP"] == "worse"
    assert verdicts["", "TTFB"] == verdicts["", "FCP"] == "same"
    errors = {row.route: row for row in found.failing}
    assert errors[""].verdict == "worse"
    assert errors[""].old.part == 0
    assert 0.14 < errors[""].new.value < 0.26
    lcp = next(pair for pair in found.pairs if (pair.route, pair.vital) == ("", "LCP"))
    assert lcp.new
    assert lcp.old
    assert 1.4 < lcp.new.value / lcp.old.value < 2.3
    # Only the hours in which the new one ran are looked at.
    own = [v for v in shipped.shop.traffic.views if v["release"] == "3.0.9"]
    late = [v for v in own if v["view_started_at"] > (shipped.ago(BEGAN).timestamp() - 5) * 1000]
    assert lcp.old.n <= len(late) + 5 < len(own)


def test_shares_have_wilsons_interval() -> None:
    low, high = Share(5, 50).bounds
    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)
    assert Share(0, 0).bounds == (0.0, 1.0)
    assert Share(0, 400).differs(Share(40, 400))
    assert not Share(3, 40).differs(Share(5, 40))


def test_a_flag_says_when_its_service_was_away(seeded: Seeded, shipped: Shipped) -> None:
    (flag,) = flags.flags(seeded.store, shipped.question)
    assert flag.name == "new-feed"
    assert flag.views == 900
    expected = [v for v in shipped.shop.traffic.views if v["flag_sources"]["new-feed"] == "default"]
    assert flag.on_default == len(expected) > 50
    ((since, until),) = flag.away(shipped.question)
    assert abs(since - shipped.ago(AWAY_FROM)) < timedelta(minutes=2)
    assert abs(until - shipped.ago(AWAY_TO)) < timedelta(minutes=2)
    by_value = {value.value: value for value in flag.values}
    assert by_value["on"].sources == {"live": by_value["on"].views}
    assert set(by_value["off"].sources) == {"live", "default"}
    assert by_value["on"].vitals["LCP"].n <= by_value["on"].views


def test_both_are_read_off_the_pages_in_a_browser(seeded: Seeded, shipped: Shipped, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    base = str(seeded.client.base_url).rstrip("/")
    page.goto(f"{base}/?app=shipped&wait=1")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Releases").click()
    page.goto(f"{page.url}&wait=1")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="3.1.0"))
    expect(row).to_contain_text("min")
    expect(row).not_to_contain_text("not yet")
    expect(page.locator(".verdict")).to_contain_text("regressed")
    expect(page.locator(".verdict")).to_contain_text("LCP, errors")
    page.get_by_role("link", name="t.sum is not a function").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("t.sum is not a function")
    page.goto(f"{base}/flags?app=shipped&wait=1")
    warning = page.locator(".warning")
    expect(warning).to_contain_text("the flag service was away")
    expect(warning).to_contain_text("ran on the default")
    expect(page.get_by_role("row").filter(has_text="off")).to_contain_text("default, because the service was away")
    context.close()


def test_twins_say_the_same(seeded: Seeded, shipped: Shipped) -> None:
    found = seeded.client.get("/releases.json?app=shipped").json()
    assert [row["release"] for row in found["releases"]] == ["3.1.0", "3.0.9"]
    assert found["releases"][0]["at_99"]
    assert {row["verdict"] for row in found["pairs"] if (row["route"], row["vital"]) == ("", "LCP")} == {"worse"}
    away = seeded.client.get("/flags.json?app=shipped").json()["away"]
    assert [row["flag"] for row in away] == ["new-feed"]
    assert datetime.fromisoformat(away[0]["from"]).astimezone(UTC) > shipped.ago(AWAY_FROM + 2)
