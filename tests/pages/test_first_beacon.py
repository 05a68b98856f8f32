"""From setup to the first view: a real collector, a real beacon, and a page that notices by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from collector.query.overview import Presence, Refusal
from dashboards.setup import state
from tests.conftest import Running, a_beacon, wait_until

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_setup_notices_the_first_view_by_itself(collector: Running, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{collector.url}/setup")
    page.get_by_text("waiting for the first beacon").wait_for()
    assert collector.post(a_beacon(key="wrong")).outcome == "unknown_key"
    page.get_by_text("unknown_key").wait_for()
    page.get_by_text("Compare the page's data-key with keys under [apps.NAME]").wait_for()
    page.get_by_text("'wrong' stands in no [apps.…] of farside.toml").wait_for()
    elsewhere = collector.post(a_beacon(), origin="https://shop.example:8443")
    assert elsewhere.outcome == "origin_refused"
    page.get_by_text("add 'https://shop.example:8443' to the origins of [apps.demo] in farside.toml").wait_for()
    beacon = a_beacon(
        {"type": "view", "at": 0, "duration_ms": 800}, {"type": "vital", "at": 700, "name": "LCP", "value": 700}
    )
    assert collector.post(beacon).outcome == "stored"
    page.get_by_text("The first view is here.").wait_for()
    page.get_by_role("link", name="Open the newest view").click()
    page.get_by_role("heading", name="localhost/products/42").wait_for()
    assert beacon["view_id"] in page.url
    assert "700" in page.locator(".card .big").inner_text()
    page.get_by_role("link", name="/products/:id").first.click()
    page.get_by_role("heading", name="Slowest views").wait_for()
    assert "/routes" in page.url
    assert "route=%2Fproducts%2F%3Aid" in page.url
    context.close()


def test_what_was_put_right_since_is_said_also_in_a_file_that_was_not_there_before(spawn: Any, tmp_path: Path) -> None:
    collector = spawn()
    assert collector.post(a_beacon(key="tiny")).outcome == "unknown_key"
    wait_until(lambda: b"&#39;tiny&#39; stands in no" in collector.get("/setup/status").body)
    assert b"Mended since" not in collector.get("/setup/status").body
    (tmp_path / "farside.toml").write_text("[apps.tiny]\nkeys = ['tiny']\norigins = ['https://shop.example']\n")
    wait_until(lambda: b"Mended since" in collector.get("/setup/status").body)
    assert collector.post(a_beacon(key="tiny2")).outcome == "unknown_key"
    wait_until(lambda: b"&#39;tiny2&#39; stands in no" in collector.get("/setup/status").body)
    assert b"&#39;tiny&#39;" not in collector.get("/setup/status").body, "what is right by now is not told beside it"
    assert collector.post(a_beacon(key="tiny"), origin="http://localhost").outcome == "origin_refused"
    wait_until(lambda: b"add &#39;http://localhost&#39;" in collector.get("/setup/status?app=tiny").body)
    (tmp_path / "farside.toml").write_text("[apps.tiny]\nkeys = ['tiny', 'tiny2']\norigins = ['loopback']\n")
    wait_until(lambda: collector.get("/setup/status?app=tiny").body.count(b"Mended since") == 2)
    assert collector.post(a_beacon(key="tiny"), origin="http://localhost").outcome == "stored"


@pytest.mark.parametrize(
    ("stored_at", "refused_at", "outcome", "said"),
    [
        (NOON, None, "", "received"),
        (NOON + timedelta(seconds=30), NOON, "unknown_key", "received"),
        (NOON - timedelta(seconds=1), NOON, "unknown_key", "cut_off"),
        (NOON - timedelta(seconds=1), NOON, "bad_token", "received"),
        (NOON - timedelta(seconds=1), NOON, "client_queue", "received"),
        (NOON - timedelta(seconds=1), NOON, "erased", "received"),
        (None, NOON, "unknown_key", "refused"),
        (None, None, "", "waiting"),
    ],
)
def test_refusals_after_the_newest_data_are_the_headline(
    stored_at: datetime | None, refused_at: datetime | None, outcome: str, said: str
) -> None:
    presence = Presence(events=3, views=3 if stored_at else 0, last_received_at=stored_at, view_id="")
    refusals = [Refusal("", outcome, 1, refused_at)] if refused_at else []
    assert state(presence, refusals) == said
