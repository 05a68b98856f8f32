"""Vitals of pages that did not load the usual way, beside web-vitals in the same page: restored from the bfcache, and
prerendered before anybody asked for them. Both for real: the browser freezes and activates, no event is made up.
"""

import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.conftest import CHROME_ARGUMENTS, USER_AGENT, find_browser, wait_until
from tests.snippet.conftest import Open
from tests.snippet.test_vitals import SHOP, assert_same

BESIDE = """<script src=/web-vitals.js></script><script>window.theirs = {};
for (const name of ['LCP', 'CLS', 'INP', 'FCP', 'TTFB'])
  webVitals['on' + name]((m) => { (theirs[m.navigationType] ||= {})[name] = m.value; }, { reportAllChanges: true });
</script>"""


@pytest.fixture
def caching(browser: Browser) -> Iterator[BrowserContext]:
    """Playwright keeps Chromium from freezing pages; this one may."""
    other = browser.browser_type.launch(
        executable_path=find_browser() or None,
        args=CHROME_ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield other.new_context(viewport={"width": 1000, "height": 700}, user_agent=USER_AGENT)
    other.close()


def test_a_page_restored_from_the_bfcache(visit: Open, caching: BrowserContext) -> None:
    opened = visit(SHOP, head=BESIDE, context=caching)
    page = opened.page
    page.wait_for_timeout(1500)
    page.click("#quick")
    page.wait_for_timeout(200)
    opened.site.pages["/next"] = ("<!doctype html><title>next</title><h1>Next</h1>", {})
    page.evaluate("window.kept = 1; location = '/next'")
    page.wait_for_url("**/next")
    page.wait_for_timeout(300)
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_timeout(1200)  # Playwright waits in vain for the load event of a page that does not load again
    assert page.evaluate("window.kept") == 1, (
        "the browser did not keep the page: something is in the way of its bfcache"
    )
    first = page.evaluate("theirs.navigate")
    page.click("#slow")
    page.evaluate("late.style.height = '300px'")
    page.wait_for_timeout(900)
    restored = page.evaluate("theirs['back-forward-cache']")
    opened.leave()
    ours: dict[str, dict[str, float]] = {"navigate": {}, "restore": {}}
    for event in opened.events("vital"):
        ours[event["of"]["navigation"]][event["name"]] = event["value"]
    assert set(first) == {"LCP", "CLS", "INP", "FCP", "TTFB"}
    for name, value in first.items():
        assert ours["navigate"][name] == pytest.approx(value, abs=0.00006 if name == "CLS" else 0.06), name
    # web-vitals says 0 for the first byte of what was never requested; to us that is not measured.
    assert restored.pop("TTFB") == 0
    assert set(ours["restore"]) == set(restored) == {"LCP", "CLS", "INP", "FCP"}
    assert ours["restore"]["CLS"] == pytest.approx(restored["CLS"], abs=0.00006)
    assert ours["restore"]["INP"] == pytest.approx(restored["INP"], abs=0.06)
    for name in ("LCP", "FCP"):  # both ask the clock in the same frame, one after the other
        assert ours["restore"][name] == pytest.approx(restored[name], abs=16), name


PRERENDERED = """<h1>Prerendered</h1><img src="/hero.png?ms=1" width=600 height=240><p id=below>below</p><script>
window.early = document.prerendering;
const report = () => fetch('/api/theirs?' + new URLSearchParams({ ...theirs.prerender, early }));
document.addEventListener('prerenderingchange', () => {
  setTimeout(() => { late.style.height = '90px'; }, 300);
  setTimeout(() => report().then(() => setTimeout(() => { location = 'about:blank'; }, 100)), 1500);
});
</script><div id=late></div><p>after</p>"""
STARTS_IT = """<!doctype html><title>first</title><h1>First</h1><script type=speculationrules>
{"prerender": [{"source": "list", "urls": ["/page"], "eagerness": "immediate"}]}</script>
<script>setTimeout(() => { location = '/page'; }, 2500);</script>"""


def test_a_page_prerendered_and_then_activated(visit: Open, browser: Browser, tmp_path: Path) -> None:
    # Nothing may be attached to the browser: DevTools, and with it every driver, keeps pages from being prerendered.
    opened = visit(PRERENDERED, head=BESIDE, goto=False)
    opened.site.pages["/first"] = (STARTS_IT, {})
    profile = f"--user-data-dir={tmp_path}"
    program = find_browser() or browser.browser_type.executable_path
    command = [program, "--headless", *CHROME_ARGUMENTS, profile, f"--user-agent={USER_AGENT}"]
    alone = subprocess.Popen([*command, f"{opened.site.url}/first"], stderr=subprocess.DEVNULL)
    try:
        (report,) = wait_until(lambda: [s.path for s in opened.site.seen if s.path.startswith("/api/theirs")], 30)
        opened.wait_for("vital", name="CLS")
        opened.wait_for("fetch")  # the report itself: with it, the last beacon has come
    finally:
        alone.terminate()
        alone.wait(20)
    expected = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(report).query))
    if expected.pop("early") != "true":
        pytest.skip("this browser does not prerender")
    assert {beacon["navigation"] for beacon in opened.site.beacons} == {"prerender"}
    assert set(expected) == {"LCP", "CLS", "FCP", "TTFB"}
    assert_same(opened, {name: float(value) for name, value in expected.items()})
