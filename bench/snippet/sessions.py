"""A visit, driven like a reader's: five batches of scrolling, clicks, errors, a route change, and an end.

An error is thrown 25 ms before the end. Then the tab is closed, or its renderer dies, which no event announces.
"""

import time
from typing import NamedTuple

from playwright.sync_api import Browser, CDPSession, Page

from bench.snippet.page import Origins, Request
from bench.snippet.peers import Snippet
from bench.snippet.signals import captured, feed_labels, leaks
from tests.conftest import USER_AGENT
from tests.snippet.ends import kill_renderers

BATCHES = 5
# What is fetched, not told: configuration and scripts that a snippet asks its back end for.
CONFIG = ("/array/", "/flags", "/static/", "/config", "/c/")


class Session(NamedTuple):
    """What one visit cost and what was heard of it."""

    js_ms: float
    heap_kb: float
    requests: int
    preflights: int
    config: int
    before_first: int
    bytes: int
    signals: set[str]
    leaks: bool
    labelled: int
    false_labels: int
    traced: float
    traces: int
    partner: str


def visit(browser: Browser, origins: Origins, snippet: Snippet, end: str) -> Session:
    origins.carry(snippet.script, snippet.loader, snippet.attributes)
    context = browser.new_context(viewport={"width": 1000, "height": 700}, user_agent=USER_AGENT)
    try:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Performance.enable")
        live(page, origins)
        partner = page.evaluate("third")
        js_ms, heap_kb = measured(devtools)
        page.evaluate("setTimeout(() => { throw new Error('sig-last'); })")
        page.wait_for_timeout(25)
        if end == "close":
            page.close()
        else:
            kill_renderers(browser)
        time.sleep(1.2)
        return told(snippet.name, origins, js_ms, heap_kb, partner)
    finally:
        context.close()


def live(page: Page, origins: Origins) -> None:
    """The visit up to its end."""
    page.goto(f"{origins.page.url}/first?from=sig-secret", wait_until="load")
    page.wait_for_timeout(1200)  # a reader reads before scrolling
    page.mouse.move(500, 500)
    for batch in range(1, BATCHES + 1):
        for _ in range(40):
            page.mouse.wheel(0, 900)
            page.wait_for_timeout(30)
            if page.evaluate("batches") >= batch:
                break
        page.wait_for_timeout(120)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(150)
    for button, then_ms in (("work", 250), ("throws", 150), ("rejects", 150), ("fails", 250)):
        page.click(f"#{button}")
        page.wait_for_timeout(then_ms)
    for _ in range(5):
        page.click("#sig-nothing")
        page.wait_for_timeout(40)
    page.wait_for_timeout(250)
    page.click("#moves")
    page.wait_for_timeout(700)
    page.click("#work")
    page.wait_for_timeout(300)


def measured(devtools: CDPSession) -> tuple[float, float]:
    """Milliseconds of script so far, and kilobytes of heap that are still needed."""

    def metrics() -> dict[str, float]:
        return {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}

    js_ms = metrics()["ScriptDuration"] * 1000
    devtools.send("HeapProfiler.collectGarbage")
    return js_ms, metrics()["JSHeapUsedSize"] / 1024


def told(name: str, origins: Origins, js_ms: float, heap_kb: float, partner: str) -> Session:
    """Everything that reached the three origins, counted."""
    heard = list(origins.sink.kept)
    asked = [request for request in heard if request.method != "OPTIONS"]
    beacons = [request for request in asked if not is_config(request)]
    first = heard.index(beacons[0]) if beacons else len(heard)
    labelled, false_labels = feed_labels(beacons, BATCHES)
    api = [request for request in origins.page.kept if request.url.startswith("/api/")]
    parents = [request.headers["traceparent"] for request in api if "traceparent" in request.headers]
    return Session(
        js_ms, heap_kb, len(beacons), len(heard) - len(asked), len(asked) - len(beacons), first,
        sum(request.size + len(request.url) for request in beacons), captured(name, beacons), leaks(beacons),
        labelled, false_labels, len(parents) / len(api), len({parent.split("-")[1] for parent in parents}), partner,
    )  # fmt: skip


def is_config(request: Request) -> bool:
    path = request.url.partition("?")[0]
    return path.endswith(".js") or (request.method == "GET" and path.startswith(CONFIG)) or path.startswith("/flags")
