"""What every page keeps, whoever wrote it: each is taken from `PAGES` as it lands, filled with a day of the shop.

Nothing it shows is run, nothing violates its policy, axe finds nothing in either theme, it says the same without scripts,
it has both twins, it is small, and it is quickly there. A page with a new part in its address says in EXAMPLES what to
put there.
"""

import csv
import gzip
import io
import re
import secrets
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route

from collector.store import QueryFailed, Store
from dashboards.pages import PAGES
from dashboards.panels import OUT_OF_TIME
from tests.conftest import USER_AGENT, wait_until
from tests.pages.conftest import BEACONS, Seeded
from tests.pages.planted import HOSTILE, poisoned
from tests.pages.test_pages import Tags
from tests.traces.planted import a_view, to_bytes

# What stands for a part of an address: a function of a view of the shop.
EXAMPLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "view_id": lambda view: view["view_id"],
    "trace_id": lambda view: view["trace_id"],
    "session_id": lambda view: view["session_id"],
    "user_id": lambda view: view["user_id"],
    "fingerprint": lambda view: "f00d000000000001" if view["app"] == "demo" else "ab" * 8,
    "team": lambda view: view["team"],
}
# Addresses that are another page than their path without parameters.
MORE = ("/routes?route={route}",)
PATHS = [path for path, _, _ in PAGES]
ADDRESSES = [*PATHS, *(more for more in MORE if more.split("?")[0] in PATHS)]


class Views(NamedTuple):
    """One view as it is, and one in which everything is chosen by an enemy."""

    plain: dict[str, Any]
    hostile: dict[str, Any]


@pytest.fixture(scope="module")
def views(day: Seeded) -> Views:
    shop = day.shop("hostile", seed=9)
    found = [poisoned(shop) for _ in range(6)]
    day.insert(shop.traffic, "hostile")
    plain = next(v for v in day.traffic.views if v["route"] == "/collections/:id" and v["user_id"])
    return Views(plain, found[0])


def filled(address: str, view: dict[str, Any], **more: str) -> str:
    """An address with its parts taken from a view."""
    parts = re.findall(r"{(\w+)(?::\w+)?}", address)
    unknown = set(parts) - set(EXAMPLES) - {"route"}
    assert not unknown, f"say in EXAMPLES of {__name__} what to put for {unknown}"
    for part in parts:
        value = view["route"] if part == "route" else EXAMPLES[part](view)
        address = re.sub(rf"{{{part}(:\w+)?}}", lambda _, value=value: quote(value, safe=""), address)
    pairs = {"wait": "1"} | more
    return f"{address}{'&' if '?' in address else '?'}{'&'.join(f'{n}={v}' for n, v in pairs.items())}"


def twin_of(address: str, form: str) -> str:
    path, _, query = address.partition("?")
    return f"{'/overview' if path == '/' else path}.{form}{'?' + query if query else ''}"


WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    context.add_init_script(WATCH)
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def base(day: Seeded) -> str:
    return str(day.client.base_url).rstrip("/")


class Slow:
    """Notes what pages ask of the store, and lets one of these questions run out of time, as the engine says it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked, self.late, plain = set[str](), "", Store.read

        def read(store: Store, sql: str, *args: Any, **more: Any) -> list[dict[str, Any]]:
            self.asked.add(sql)
            if sql == self.late:
                raise QueryFailed("Timeout exceeded", OUT_OF_TIME)
            return plain(store, sql, *args, **more)

        patch.setattr(Store, "read", read)


@pytest.mark.parametrize("address", ADDRESSES)
def test_whichever_question_is_late_the_page_is_there(
    day: Seeded, views: Views, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other each question of the page runs out of time: never an error of ours."""
    slow, tried = Slow(monkeypatch), set[str]()
    while True:
        reply = day.client.get(filled(address, views.plain))
        assert reply.status_code in (200, 404, 503), (slow.late[:60], reply.text[-400:])
        twin = day.client.get(twin_of(filled(address, views.plain), "json"))
        assert twin.status_code in (200, 404, 503), slow.late[:60]
        if not slow.asked - tried:
            break
        slow.late = min(slow.asked - tried)
        tried.add(slow.late)


# One of these is all that was ever received of a route, a user and a session.
SCRAPS: dict[str, dict[str, Any]] = {
    "view": {"type": "view", "at": 0.0},
    "inp": {"type": "vital", "at": 1.0, "name": "INP", "value": 250.0},
    "cls": {"type": "vital", "at": 1.0, "name": "CLS", "value": 0.2},
    "lcp": {"type": "vital", "at": 1.0, "name": "LCP", "value": 2_700.0},
    "fetch": {"type": "fetch", "at": 1.0, "name": "GET", "endpoint": "/api/x", "url": "/api/x"},
    "error": {"type": "error", "at": 1.0, "name": "error", "fingerprint": "5c4a905c4a905c4a"},
    "feed": {"type": "feed", "at": 1.0},
    "resource": {"type": "resource", "at": 1.0, "url": "https://cdn.example/x.js"},
    "longframe": {"type": "longframe", "at": 1.0},
    "mark": {"type": "mark", "at": 1.0, "name": "cart"},
}


@pytest.mark.parametrize("kind", SCRAPS)
def test_a_scrap_of_data_is_no_error_on_any_page(day: Seeded, kind: str) -> None:
    received = day.question.at - 60_000
    line = a_view(received, SCRAPS[kind], route=f"/scrap/{kind}", user_id=f"scrap-{kind}", team=f"scrap-{kind}")
    day.store.insert(to_bytes(line), f"scrap-{kind}")
    for address in ADDRESSES:
        asked = filled(address, line, **({} if "{route}" in address else {"route": line["route"]}))
        asked = asked.replace("f00d000000000001", "5c4a905c4a905c4a")
        for where in (asked, twin_of(asked, "json")):
            reply = day.client.get(where)
            assert reply.status_code in (200, 404), (where, reply.text[-400:])


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_in_either_theme(page: Page, base: str, views: Views, address: str) -> None:
    themes: tuple[Any, ...] = ("dark", "light")
    page.goto(base + filled(address, views.plain))
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
        assert [(v["id"], [node["html"][:200] for node in v["nodes"]][:3]) for v in found] == [], theme


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_violates_the_policy_and_everything_fits(page: Page, base: str, views: Views, address: str) -> None:
    """Full, empty and hostile, on a phone and on a desk."""
    complaints: list[str] = []

    def hear(said: Any) -> None:
        if not hasattr(said, "type") or said.type in {"error", "warning"}:
            complaints.append(getattr(said, "text", str(said)))

    page.on("console", hear)
    page.on("pageerror", hear)
    for app in ("demo", "hostile", "empty"):
        reply = page.goto(base + filled(address, views.hostile if app == "hostile" else views.plain, app=app))
        assert reply is not None
        assert reply.status in {200, 404}
        for width in (390, 1360):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (app, width)
        assert page.evaluate("violations") == []
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", hear)
    assert [text for text in complaints if "status of 404" not in text] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_a_page_says_is_never_run(day: Seeded, views: Views, address: str) -> None:
    reply = day.client.get(filled(address, views.hostile, app="hostile"))
    assert reply.status_code == 200
    found = Tags(reply.text)
    assert not [tag for tag, attrs in found.tags if tag == "script" and not (attrs.get("src") or "").startswith("/")]
    assert not [tag for tag, _ in found.tags if tag in {"img", "iframe", "style", "object", "embed", "base"}]
    for tag, attrs in found.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        assert not re.match(r"\s*(javascript|data):", attrs.get("href") or "", re.IGNORECASE)
    assert "49" not in [text.strip() for text in found.text]
    assert "\x07" not in reply.text, "control characters are shown as what they are, or not at all"


@pytest.mark.parametrize("address", ADDRESSES)
def test_twins_hold_rows_and_no_formula(day: Seeded, views: Views, address: str) -> None:
    for app, view in (("demo", views.plain), ("hostile", views.hostile)):
        data = day.client.get(twin_of(filled(address, view, app=app), "json"))
        assert data.status_code == 200
        assert data.json()["app"] == app
        assert "problems" not in data.json()
        reply = day.client.get(twin_of(filled(address, view, app=app), "csv"))
        assert reply.status_code == 200
        lines = list(csv.reader(io.StringIO(reply.text)))
        assert lines[0] == ["table", "row", "column", "value"]
        texts = [cell for line in lines[1:] for cell in line if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", cell)]
        assert [text for text in texts if re.match(r"[=+@\t\r-]", text)] == []


# What a script may change: ages, which go on, and what is for scripts alone.
NUMBERS = """() => [...document.querySelectorAll('main :is(td, th, dd, h1, h2, h3, .big, .basis, .rated, figcaption)')]
  .filter((e) => !e.querySelector('time') && !e.closest('time, [data-live], dialog'))
  .map((e) => e.textContent.replace(/\\s+/g, ' ').trim())"""


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_scripts_a_page_says_the_same(
    browser: Browser, page: Page, day: Seeded, base: str, views: Views, address: str
) -> None:
    at = filled(address, views.plain, at=str(day.question.at))
    page.goto(base + at)
    with_scripts = page.evaluate(NUMBERS)
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(base + at)
    without = plain.evaluate(NUMBERS)
    hidden = plain.evaluate(
        "() => [...document.querySelectorAll('main table, main figure')].filter(e => !e.checkVisibility()).length"
    )
    context.close()
    assert without == with_scripts
    assert without
    assert hidden == page.evaluate(
        "() => [...document.querySelectorAll('main table, main figure')].filter(e => !e.checkVisibility()).length"
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_small(day: Seeded, views: Views, address: str) -> None:
    """As it travels, with everything it needs: a reader's first page may be any of them."""
    html = day.client.get(filled(address, views.plain)).text
    total, scripts = len(gzip.compress(html.encode(), 6)), 0
    for tag, attrs in Tags(html).tags:
        source = attrs.get("src") if tag == "script" else attrs.get("href") if tag == "link" else None
        if source and source.startswith("/static/"):
            size = len(gzip.compress(day.client.get(source).content, 6))
            total += size
            scripts += size if tag == "script" else 0
    assert scripts <= 45_000
    assert total <= 120_000


# A machine on which a page of one word takes longer than this to paint measures itself, not our pages.
CALM_MS = 150


@pytest.mark.parametrize("address", ADDRESSES)
def test_our_own_snippet_says_it_is_quickly_there(browser: Browser, base: str, views: Views, address: str) -> None:
    """LCP ≤ 1.0 s and CLS ≤ 0.02, the median of three visits as our own snippet measures them on our own page.

    Where other work slows the machine down the budget is what the page takes beyond one of a single word, at the same time,
    and the best pair of visits counts: what else the machine does only adds to it.
    """
    at = base + filled(address, views.plain)
    lcps = []
    for _ in range(3):
        vitals = own_vitals(browser, at)
        assert vitals.get("CLS", 0.0) <= 0.02
        lcps.append(vitals["LCP"])
    if median(lcps) <= 1_000:
        return
    word = "<!doctype html><html><head></head><body>word</body></html>"
    for _ in range(3):
        pairs = [(own_vitals(browser, at)["LCP"], own_vitals(browser, f"{base}/a-word", word)["LCP"]) for _ in range(3)]
        page, blank = (median(side) for side in zip(*pairs, strict=True))
        if page <= 1_000 or (blank > CALM_MS and min(one - other for one, other in pairs) <= 1_000):
            return
    raise AssertionError(f"LCP {page} ms, a page of one word {blank} ms")


# On a busy machine the first paint may come long after the load event, and a page that ends before it has no LCP.
PAINTED = """() => new Promise((done) => {
  new PerformanceObserver(() => done(true)).observe({ type: 'largest-contentful-paint', buffered: true });
  setTimeout(done, 10000);
})"""


def own_vitals(browser: Browser, at: str, html: str = "") -> dict[str, float]:
    """What our snippet, pasted into our own page, or into `html`, tells of one visit to it."""
    release = secrets.token_hex(4)

    def paste(route: Route) -> None:
        line = f'<head><script src="/farside.js" data-key="demo" data-release="{release}" async></script>'
        if html:
            route.fulfill(body=html.replace("<head>", line, 1), content_type="text/html")
        else:
            reply = route.fetch()
            route.fulfill(response=reply, body=reply.text().replace("<head>", line, 1))

    context = browser.new_context(viewport={"width": 1360, "height": 900}, user_agent=USER_AGENT)
    page = context.new_page()
    page.route(at, paste)
    page.goto(at)
    page.evaluate(PAINTED)
    page.wait_for_timeout(300)
    page.close(run_before_unload=True)

    def vitals() -> dict[str, float]:
        events = [event for beacon in BEACONS if beacon.get("release") == release for event in beacon["events"]]
        return {event["name"]: event["value"] for event in events if event["type"] == "vital"}

    wait_until(lambda: "LCP" in vitals(), timeout_s=10)
    context.close()
    return vitals()


def test_the_enemy_is_on_the_pages(day: Seeded, views: Views) -> None:
    """What the tests above look for in vain must be there."""
    assert HOSTILE[0] in "".join(Tags(day.client.get("/?app=hostile&wait=1").text).text)
