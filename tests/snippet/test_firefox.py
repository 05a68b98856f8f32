"""What every browser must do, in a Firefox: Debian's ESR over WebDriver BiDi, for Playwright cannot drive it.

The page sends to the collector itself, and what came to rest in its tables is compared: the script is the same as
Chromium's, but Firefox has no fetchLater, no long animation frames, and not all that vitals are made of.
"""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Running, wait_until
from tests.snippet.conftest import FEW_CARDS, STYLE
from tests.snippet.firefox import Firefox, find_firefox, firefox
from tests.snippet.site import Site
from tests.snippet.test_feeds import ADD, WAYS

pytestmark = pytest.mark.skipif(
    not find_firefox(), reason="no Firefox here: tests/install_browser.sh installs firefox-esr where apt-get may"
)
PAGE = """<h1>Hello</h1><img src=/hero.png width=300 height=120><button id=ask>ask</button><button id=fail>fail</button>
<button id=slow>slow</button><button id=go>go</button><div id=content></div><script>
ask.onclick = () => fetch('/api/a').then((r) => r.json()).then((data) => { window.got = data.headers; });
fail.onclick = () => { throw new TypeError('in Firefox'); };
slow.onclick = () => { const t = performance.now(); while (performance.now() - t < 100); };
go.onclick = () => { history.pushState({}, '', '/two'); fetch('/api/two').then(() => { content.textContent = 'Two'; }); };
</script>"""


@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    with firefox() as running:
        yield running


class Tab:
    """A page of the site in a tab of Firefox, and the rows it left in the collector's tables."""

    def __init__(self, fox: Firefox, site: Site, collector: Running) -> None:
        self.fox, self.site, self._collector = fox, site, collector
        self.name = secrets.token_hex(4)

    def open(self, body: str) -> None:
        source = f"{self._collector.url}/farside.js"
        tag = f'<script src="{source}" data-key=demo data-release={self.name} async></script>'
        html = f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title>{tag}{STYLE}<body>{body}</html>"
        self.site.pages["/page"] = (html, {})
        self.fox.do(("new",), ("open", f"{self.site.url}/page"))

    def rows(self, kind: str) -> list[dict[str, Any]]:
        sql = "SELECT * FROM events WHERE release = {name:String} AND type = {kind:String} ORDER BY timestamp"
        return self._collector.rows(sql, name=self.name, kind=kind)

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.rows(kind)) >= count, timeout_s=20)
        return self.rows(kind)


@pytest.fixture
def tab(fox: Firefox, site: Site, snippet_collector: Running) -> Tab:
    return Tab(fox, site, snippet_collector)


def test_a_view_and_the_vitals_that_firefox_has(tab: Tab) -> None:
    tab.open(PAGE)
    tab.fox.do(("wait", 700), ("click", "#slow"), ("wait", 500))
    supported = set(tab.fox.evaluate("PerformanceObserver.supportedEntryTypes"))
    tab.fox.do(("close",))
    (view,) = tab.wait_for("view")
    assert view["browser"].startswith("Firefox")
    assert view["duration_ms"] > 0
    needs = {
        "LCP": "largest-contentful-paint",
        "FCP": "paint",
        "TTFB": "navigation",
        "CLS": "layout-shift",
        "INP": "event",
    }
    expected = {name for name, entry in needs.items() if entry in supported}
    wait_until(lambda: {row["name"] for row in tab.rows("vital")} >= expected)
    vitals = {row["name"]: row for row in tab.rows("vital")}
    assert set(vitals) == expected  # what Firefox cannot measure is not there: unmeasured is never 0
    assert expected >= {"LCP", "FCP", "TTFB"}
    assert vitals["LCP"]["value"] >= vitals["FCP"]["value"] > 0
    assert vitals["TTFB"]["value"] > 0
    if "event" in supported:
        assert vitals["INP"]["value"] >= 96


def test_a_request_carries_its_trace(tab: Tab) -> None:
    tab.open(PAGE)
    tab.fox.do(("wait", 400), ("click", "#ask"), ("wait", 400))
    headers = {name.lower(): value for name, value in tab.fox.evaluate("got").items()}
    tab.fox.do(("close",))
    (request,) = tab.wait_for("fetch")
    assert headers["traceparent"] == f"00-{request['trace_id']}-{request['span_id']}-01"
    assert (request["status_code"], request["url"]) == (200, "/api/a")
    assert request["duration_ms"] >= 15


def test_an_error_with_its_stack(tab: Tab) -> None:
    tab.open(PAGE)
    tab.fox.do(("wait", 400), ("click", "#fail"), ("wait", 100), ("close",))
    (error,) = tab.wait_for("error")
    assert (error["error_type"], error["message"]) == ("TypeError", "in Firefox")
    assert "onclick@" in error["stack"]


@pytest.mark.parametrize("way", ["a scroll handler", "an observed sentinel", "a script tag"])
def test_a_feed_batch_by_batch(tab: Tab, way: str) -> None:
    tab.open(f"{FEW_CARDS}<script>{ADD}{WAYS[way]}</script>")
    tab.fox.do(("wait", 1300))
    for batch in (1, 2, 3):
        for _ in range(30):
            tab.fox.do(("wheel", 700), ("wait", 40))
            if tab.fox.evaluate("document.querySelectorAll('.card').length") > 2 + 10 * batch:
                break
        tab.fox.do(("wait", 200))
    tab.fox.do(("close",))
    feeds = tab.wait_for("feed", 3)
    assert [(row["batch"], row["name"], row["items"]) for row in feeds] == [(n, "/api/products", 10) for n in (1, 2, 3)]
    assert all(row["phases"]["request_ms"] >= 50 for row in feeds)
    assert all(row["duration_ms"] == pytest.approx(sum(row["phases"].values()), abs=1) for row in feeds)


def test_a_soft_navigation_is_a_view_of_its_own(tab: Tab) -> None:
    tab.open(PAGE)
    tab.fox.do(("wait", 500), ("click", "#go"), ("wait", 1200), ("close",))
    first, second = tab.wait_for("view", 2)
    assert (first["navigation"], second["navigation"]) == ("navigate", "soft")
    assert second["path"] == "/two"
    assert second["initiator"] in ("history", "soft-navigation")
    assert first["view_id"] != second["view_id"]
    (request,) = tab.wait_for("fetch")
    assert (request["view_id"], request["cause"]) == (second["view_id"], "click")


def test_nothing_is_lost_when_the_tab_closes(tab: Tab) -> None:
    for n in range(5):
        tab.open(PAGE)
        tab.fox.do(
            ("wait", 250), ("click", "#ask"), ("evaluate", f"farside.mark('last {n}')"), ("wait", 30), ("close",)
        )
        wait_until(lambda n=n: f"last {n}" in {row["name"] for row in tab.rows("mark")}, timeout_s=20)
    assert len(tab.wait_for("view", 5)) == 5
    assert len(tab.rows("mark")) == 5
