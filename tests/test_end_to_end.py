"""First light: a person visits the shop, and everything they lived through is on the pages, browser to backend."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import ROOT, USER_AGENT, Running, a_beacon, free_port, wait_until
from tests.demo.processes import Demo


@pytest.fixture(scope="module")
def shop(shared_collector: Running) -> Iterator[str]:
    demo = Demo(f"--port={free_port()}", f"--collector={shared_collector.url}")
    yield demo.opened()
    demo.stop()


@pytest.fixture(scope="module")
def session_id(shared_collector: Running, shop: str, browser: Browser) -> str:
    """Visit the shop once: scroll three batches, cause an error, close the tab. The id of that session."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, user_agent=USER_AGENT)
    page = context.new_page()
    page.goto(f"{shop}/products", wait_until="load")
    page.wait_for_timeout(500)
    cards = page.locator(".card")
    for _ in range(3):
        before = cards.count()
        page.evaluate("scrollTo(0, document.body.clientHeight - innerHeight - 250)")
        for _ in range(60):  # a finger on a trackpad: many small steps, each a scroll event of its own
            page.mouse.wheel(0, 25)
            if cards.count() > before:
                break
        page.wait_for_function("before => document.querySelectorAll('.card').length > before", arg=before)
        assert cards.count() > before, "the list did not grow"
        page.wait_for_timeout(200)
    page.evaluate("setTimeout(() => { throw new TypeError('the shelf is empty') })")
    page.wait_for_timeout(100)
    page.close()
    context.close()
    sql = "SELECT any(session_id) FROM events WHERE message LIKE '%shelf is empty%'"
    return str(shared_collector.wait_for(sql))


def test_the_overview_counts_the_view(shared_collector: Running, session_id: str) -> None:
    assert shared_collector.value("SELECT count() FROM events WHERE type = 'view'") == 1
    shared_collector.settled()
    overview = json.loads(shared_collector.get("/overview.json").body)
    text = json.dumps(overview)
    assert "/products" in text
    html = shared_collector.get("/").body.decode()
    assert "/products" in html
    assert "the shelf is empty" in html


def test_all_five_vitals_that_happened_arrived_once_each(shared_collector: Running, session_id: str) -> None:
    rows = shared_collector.rows(
        "SELECT name, argMax(value, (seq, event_id)) AS v FROM events WHERE type = 'vital' GROUP BY name"
    )
    vitals = {row["name"]: row["v"] for row in rows}
    assert {"LCP", "CLS", "FCP", "TTFB"} <= set(vitals)
    assert 0 < vitals["TTFB"] <= vitals["FCP"] <= vitals["LCP"] < 20_000


def test_the_feed_shows_its_loads_and_the_duplicates_the_bug_causes(shared_collector: Running, session_id: str) -> None:
    (feed,) = shared_collector.rows(
        "SELECT count() AS loads, max(batch) AS last, sum(duplicates) AS duplicates, max(burst) AS burst,"
        " countIf(duration_ms > 0) AS painted, sum(items) AS items FROM events WHERE type = 'feed'"
    )
    assert feed["loads"] >= 3
    assert 3 <= feed["last"] <= feed["loads"]
    assert feed["duplicates"] > 0, "the handler of the talk asks again while an answer is on its way"
    assert feed["burst"] > 1
    assert feed["painted"] >= 3
    assert feed["items"] > 0


def test_the_error_is_there_with_its_stack_and_its_group(shared_collector: Running, session_id: str) -> None:
    (error,) = shared_collector.rows("SELECT * FROM events WHERE type = 'error' AND message LIKE '%shelf is empty%'")
    assert (error["error_type"], error["session_id"]) == ("TypeError", session_id)
    assert error["stack"]
    assert len(error["fingerprint"]) == 16


def test_one_tree_holds_browser_web_product_and_image(shared_collector: Running, session_id: str) -> None:
    view = shared_collector.rows("SELECT view_id, trace_id, span_id FROM events WHERE type = 'view'")[0]
    assert view["trace_id"]
    services = wait_until(lambda: _services_if_complete(shared_collector, view["trace_id"]), timeout_s=30)
    assert services >= {"browser", "web", "product", "image"}
    spans = shared_collector.rows(
        "SELECT SpanId, ParentSpanId, ServiceName FROM otel_traces WHERE TraceId = {t:String}", t=view["trace_id"]
    )
    parents = {span["SpanId"]: span["ParentSpanId"] for span in spans}
    for span in spans:
        at, steps = span["SpanId"], 0
        while parents[at]:
            at, steps = parents[at], steps + 1
            assert at in parents, f"{span} hangs from a span that is not there"
            assert steps < 20
        assert at == view["span_id"], f"{span} hangs from another root"
    shared_collector.settled()
    for path in (f"/views/{view['view_id']}", f"/traces/{view['trace_id']}"):
        reply = shared_collector.get(path)
        assert reply.status == 200
        html = reply.body.decode()
        for service in services:
            assert service in html


def _services_if_complete(collector: Running, trace_id: str) -> set[str]:
    rows = collector.rows("SELECT DISTINCT ServiceName AS s FROM otel_traces WHERE TraceId = {t:String}", t=trace_id)
    services = {row["s"] for row in rows}
    return services if services >= {"browser", "web", "product", "image"} else set()


def test_nobodys_query_values_or_addresses_were_kept(shared_collector: Running, session_id: str) -> None:
    assert shared_collector.value("SELECT countIf(position(url, '?') > 0 OR position(path, '?') > 0) FROM events") == 0


def test_a_beacon_becomes_visible_by_itself(
    shared_collector: Running, session_id: str, shop: str, browser: Browser
) -> None:
    """How soon is measured by bench/visible.py; here it is enough that nothing needs to be pushed."""
    before = _views(shared_collector)
    page = browser.new_context(user_agent=USER_AGENT).new_page()
    with page.expect_response(lambda r: r.url.endswith("/b") and r.request.method == "POST", timeout=15_000):
        page.goto(f"{shop}/", wait_until="load")
    wait_until(lambda: _views(shared_collector) > before)
    page.context.close()


def _views(collector: Running) -> int:
    return sum(route["views"] for route in json.loads(collector.get("/overview.json").body)["routes"])


def test_pages_say_since_when_the_store_takes_nothing_in(collector: Running) -> None:
    def page() -> str:
        reply = collector.get("/")
        assert reply.status == 200, "what was there before can still be read"
        return reply.body.decode()

    collector.post(a_beacon())
    collector.settled()
    assert "store away since" not in page()
    collector.rows("RENAME TABLE farside.lines TO farside.lines_away")
    assert collector.post(a_beacon()).status == 204
    wait_until(lambda: "store away since" in page())
    collector.rows("RENAME TABLE farside.lines_away TO farside.lines")
    collector.settled()
    assert "store away since" not in page()
    assert collector.value("SELECT count() FROM events") == 2


def test_a_port_that_is_taken_is_said_before_anything_else(shared_collector: Running, tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "collector", "serve", "--data", str(tmp_path), f"--port={shared_collector.port}"]
    done = subprocess.run(serve, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"127.0.0.1:{shared_collector.port} is taken" in done.stderr
    assert "--port" in done.stderr
