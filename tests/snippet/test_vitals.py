"""Vitals: the values of web-vitals in the same page, per view, and what was to blame."""

import pytest

from tests.snippet.conftest import Open, Visit

BESIDE = """<script src=/web-vitals.js></script><script>window.theirs = {};
for (const name of ['LCP', 'CLS', 'INP', 'FCP', 'TTFB'])
  webVitals['on' + name]((m) => { theirs[m.navigationType === 'soft-navigation' ? 'soft ' + name : name] = m.value; },
    { reportAllChanges: true, reportSoftNavs: true });</script>"""

SHOP = """<h1>Shop</h1><div id=late></div><img id=hero src="/hero.png?ms=1" width=600 height=240><p id=below>below</p>
<button id=quick>quick</button><button id=slow>slow</button><input id=field>
<script>
const busy = (ms) => { const t = performance.now(); while (performance.now() - t < ms); };
document.getElementById('slow').onclick = () => busy(120);
document.getElementById('field').onkeydown = () => busy(60);
setTimeout(() => { late.style.height = '90px'; }, 250);
setTimeout(() => { late.style.height = '150px'; }, 700);
</script>"""


def theirs(visit: Visit) -> dict[str, float]:
    return visit.page.evaluate("theirs")  # type: ignore[no-any-return]


def assert_same(visit: Visit, expected: dict[str, float]) -> None:
    ours = {name: event["value"] for name, event in visit.vitals().items()}
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, abs=0.00006 if name == "CLS" else 0.06), name


@pytest.mark.parametrize("script", ["farside.js", "farside.core.js"])
def test_the_values_are_those_of_web_vitals(visit: Open, script: str) -> None:
    opened = visit(SHOP, head=BESIDE, script=script)
    page = opened.page
    page.wait_for_timeout(1100)
    page.click("#quick")
    page.click("#slow")
    page.type("#field", "ab")
    page.wait_for_timeout(1300)
    expected = theirs(opened)
    opened.leave()
    assert set(expected) == {"LCP", "CLS", "INP", "FCP", "TTFB"}
    assert_same(opened, expected)


def test_each_vital_says_what_was_to_blame(visit: Open) -> None:
    opened = visit(SHOP)
    opened.page.wait_for_timeout(1100)
    opened.page.click("#slow")
    opened.page.wait_for_timeout(300)
    opened.leave()
    vitals = opened.vitals()
    lcp, cls, inp = vitals["LCP"], vitals["CLS"], vitals["INP"]
    assert (lcp["target"], lcp["url"]) == ("#hero", "/hero.png")
    assert set(lcp["phases"]) == {"ttfb_ms", "load_delay_ms", "load_ms", "render_delay_ms"}
    assert sum(lcp["phases"].values()) == pytest.approx(lcp["value"], abs=0.5)
    assert cls["target"] in ("#hero", "#below", "#quick", "html>body>button")
    assert (inp["target"], inp["cause"]) == ("#slow", "pointer")
    assert inp["phases"]["processing_ms"] >= 115
    assert sum(inp["phases"].values()) == pytest.approx(inp["value"], abs=0.5)


def test_the_98th_percentile_of_many_interactions(visit: Open) -> None:
    opened = visit(SHOP, head=BESIDE)
    page = opened.page
    page.click("#slow")
    page.focus("#field")
    for _ in range(55):
        page.keyboard.press("Tab")
    page.wait_for_timeout(1500)
    expected = theirs(opened)
    opened.leave()
    assert opened.vitals()["INP"]["value"] == expected["INP"] < 120


def test_an_element_that_is_gone_by_then_keeps_its_name(visit: Open) -> None:
    body = """<div id=menu><button id=once>x</button></div><script>
    document.getElementById('once').onclick = (e) => { const t = performance.now(); while (performance.now() - t < 80);
      e.target.remove(); };</script>"""
    opened = visit(body)
    opened.page.wait_for_timeout(300)
    opened.page.click("#once")
    opened.page.wait_for_timeout(400)
    opened.leave()
    assert opened.vitals()["INP"]["target"] == "#once"


SOFT = """<h1>One</h1><button id=go>go</button><div id=content></div><script>
document.getElementById('go').onclick = () => { history.pushState({}, '', '/two');
  fetch('/api/two?ms=50').then(() => { content.innerHTML = '<h2 style="font-size:60px">Two, and a lot to say</h2>'; }); };
</script>"""


def test_a_soft_view_has_vitals_of_its_own(visit: Open) -> None:
    opened = visit(SOFT, head=BESIDE)
    page = opened.page
    page.wait_for_timeout(700)
    page.click("#go")
    page.wait_for_timeout(1300)
    expected = theirs(opened)
    opened.leave()
    soft = {e["name"]: e for e in opened.events("vital") if e["of"]["navigation"] == "soft"}
    assert soft["LCP"]["value"] == pytest.approx(expected["soft LCP"], abs=0.06)
    assert soft["FCP"]["value"] == pytest.approx(expected["soft FCP"], abs=0.06)
    assert soft["LCP"]["of"]["view_id"] != opened.events("view")[0]["of"]["view_id"]
    assert "TTFB" not in soft


def test_a_page_loaded_in_the_background_paints_nothing(visit: Open) -> None:
    opened = visit(SHOP, goto=False)
    opened.page.add_init_script(
        "Object.defineProperty(document, 'visibilityState', { get: () => window.shown ? 'visible' : 'hidden' });"
        "Object.defineProperty(document, 'hidden', { get: () => !window.shown });"
    )
    opened.page.goto(f"{opened.site.url}/page")
    opened.page.wait_for_timeout(900)
    opened.page.evaluate(
        "window.shown = true; document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))"
    )
    opened.page.wait_for_timeout(500)
    opened.leave()
    assert {e["name"] for e in opened.events("vital")} <= {"TTFB"}
    assert [b["visibility"] for b in opened.site.beacons][-1] == "mixed"
