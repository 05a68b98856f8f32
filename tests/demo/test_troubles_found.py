"""Each trouble of the shop is found by the stock rule meant for it, and explained by the page that the alert links to.

A real collector, the real shop, some visits by a real browser and many by walkers. Of the stock rules only the times are
shortened, so that minutes do: how often they look, over how long, and how often in a row they must see it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser

from collector.alerts.folder import ready
from collector.beacon import decode
from collector.demo import golden
from collector.demo.troubles import TROUBLES, Trouble
from tests.conftest import USER_AGENT, Running, as_bytes, wait_until
from tests.demo.hurried import NEW_FOR_S, write_hurried
from tests.demo.processes import ROOT, Demo


class Shop(NamedTuple):
    url: str
    collector: Running
    opened_at: float


class Case(NamedTuple):
    """What makes a trouble met: the kind of page and the number of views; and the words that name its cause."""

    name: str
    page: str
    views: int
    path: str
    words: tuple[str, ...]


CASES = (
    Case(
        "scroll", "list", 50, "/products", ("self-made load", "/products makes", "asked for before the page had grown")
    ),
    Case("slow-voting", "product", 60, "/products/7", ("Most time goes by in voting", "it answers web in")),
    Case("n-plus-one", "product", 115, "/products/7", ("comment asks moderation for GET /verdicts/", "in one trace")),
    Case("flags-away", "cart", 50, "/cart", ("the flag service was away", "because the service did not answer")),
    Case("partner-away", "cart", 50, "/cart", ("Assets of localhost failed", "and kept a view waiting")),
    Case("skewed-clock", "cart", 50, "/cart", ("clock over a minute wrong", "were shifted")),
    Case("bad-release", "list", 70, "/products", ("2.15.0 beside 2.14.0", "regressed", "LCP", "reading 'wishlist'")),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, healthy at first, and a collector with the stock rules."""
    folder = tmp_path_factory.mktemp("troubles")
    write_hurried(folder / "data" / "rules")
    collector = Running(folder)
    demo = Demo("--port=0", f"--collector={collector.url}", "--trouble=none")
    try:
        url = demo.opened()
        walk(url, 60)
        yield Shop(url, collector, time.monotonic())
    finally:
        demo.stop()
        collector.kill()


def walk(url: str, views: int, *more: str) -> None:
    command = [sys.executable, "-m", "collector.demo.volume", url, "--a-minute=6000", f"--views={views}", "--seed=5"]
    # They walk as long as their standard input is open.
    with subprocess.Popen([*command, *more], cwd=ROOT, stdin=subprocess.PIPE) as walkers:
        assert walkers.wait(150) == 0


def visit(browser: Browser, address: str) -> None:
    context = browser.new_context(user_agent=USER_AGENT, viewport={"width": 1440, "height": 2000})
    page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(1_000)
    page.close(run_before_unload=True)
    time.sleep(0.5)
    context.close()


def test_walkers_beacons_are_stored_like_those_of_the_snippet(shop: Shop) -> None:
    shop.collector.settled()
    assert {outcome for _, outcome in shop.collector.ledger()} == {"stored"}
    kinds = "SELECT type, uniqExact(view_id) AS n FROM events GROUP BY type"
    found = {row["type"]: row["n"] for row in shop.collector.rows(kinds)}
    assert found["view"] == found["vital"] == 60
    assert {"fetch", "feed", "resource", "action"} <= found.keys()
    joined = """SELECT countIf(TraceId != '') AS n FROM events ANY LEFT JOIN (SELECT TraceId FROM otel_traces
        WHERE ServiceName = 'web') AS spans ON spans.TraceId = trace_id WHERE type = 'view'"""
    wait_until(lambda: shop.collector.value(joined) == 60)


def test_nothing_fires_in_a_healthy_shop(shop: Shop) -> None:
    time.sleep(12)  # each rule has looked at least once
    assert [trouble.rule for trouble in TROUBLES if firing(shop, trouble)] == []


def test_no_beacon_can_be_made_that_the_snippet_would_not_send() -> None:
    sent = golden.beacon([golden.event("view", "", 0, duration_ms=12.5)], user_id="u-1")
    read = decode(as_bytes(sent))
    assert (read.user_id, read.events[0].duration_ms) == ("u-1", 12.5)
    with pytest.raises(KeyError, match="basket"):
        golden.beacon([], basket=1)
    with pytest.raises(KeyError, match="burst"):
        golden.event("view", "", 0, burst=1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_found_by_its_rule_and_explained_by_its_page(shop: Shop, browser: Browser, case: Case) -> None:
    trouble = next(trouble for trouble in TROUBLES if trouble.name == case.name)
    if case.name == "bad-release":  # there must have been a release before it for as long as one counts as new
        time.sleep(max(0.0, NEW_FOR_S + 15 - (time.monotonic() - shop.opened_at)))
    plant(shop, case.name)
    try:
        visit(browser, shop.url + case.path)
        walk(shop.url, case.views, f"--page={case.page}")
        wait_until(lambda: firing(shop, trouble), timeout_s=45, every_s=0.5)
    finally:
        plant(shop, "")
    page = browser.new_page()
    page.goto(f"{shop.collector.url}/alerts?rule={trouble.rule}&wait=1", timeout=60_000)
    alert = page.locator("article.alert").first
    assert ready()[trouble.rule].title in alert.inner_text()
    leads = alert.locator(f'a[href^="{trouble.page}?"]').first
    leads.click(timeout=60_000)
    page.goto(f"{page.url}&wait=1", timeout=60_000)  # the same, however long its panels take
    said = " ".join(page.locator("main").inner_text().split())
    for words in case.words:
        assert words in said, said


def plant(shop: Shop, name: str) -> None:
    assert httpx.post(f"{shop.url}/control", content=f"trouble={name}").status_code == 303


def firing(shop: Shop, trouble: Trouble) -> list[object]:
    found = json.loads(shop.collector.get(f"/alerts.json?rule={trouble.rule}&wait=1").body)
    return list(found["firing"])


def test_every_trouble_has_its_case() -> None:
    assert {case.name for case in CASES} == {trouble.name for trouble in TROUBLES}
    assert Path(ROOT / "docs" / "tour.md").read_text().count("/alerts?rule=") >= len(TROUBLES)
