"""What the reader did and what the page did meanwhile: clicks, long frames, assets, marks, spans, flags."""

import pytest

from tests.snippet.conftest import Open

PAGE = """<button id=works>works</button><button id=dead>dead</button><p id=text>text</p><input id=field>
<a id=asks href="#" onclick="fetch('/api/a?ms=1500'); return false">asks</a><button class="buy now big red" data-farside-name=buy>buy</button>
<script>document.getElementById('works').onclick = (e) => { e.target.dataset.done = 1; };</script>"""


def test_clicks_that_work_that_do_nothing_and_that_are_angry(visit: Open) -> None:
    opened = visit(PAGE)
    page = opened.page
    for target in ("#works", "#text", "#field", "#asks"):
        page.click(target)
        page.wait_for_timeout(1150)
    page.click("#dead")
    page.wait_for_timeout(1150)
    for _ in range(4):
        page.click(".buy")
    page.wait_for_timeout(200)
    opened.leave()
    assert [(a["name"], a["target"], a.get("count")) for a in opened.events("action")] == [
        ("click", "#works", None), ("click", "#text", None), ("click", "#field", None), ("click", "#asks", None),
        ("click", "#dead", None), ("dead_click", "#dead", None), ("rage_click", "[buy]", 4),
    ]  # fmt: skip


def test_a_script_cannot_click(visit: Open) -> None:
    opened = visit(PAGE)
    opened.page.evaluate("document.getElementById('works').click()")
    opened.leave()
    assert opened.events("action") == []


def test_a_long_frame_names_its_longest_script(visit: Open) -> None:
    body = """<button id=b>b</button><script>function grind() { const t = performance.now(); while (performance.now() - t < 120); }
    document.getElementById('b').addEventListener('click', () => grind());</script>"""
    opened = visit(body)
    opened.page.wait_for_timeout(300)
    opened.page.click("#b")
    opened.page.wait_for_timeout(400)
    opened.leave()
    frame = max(opened.events("longframe"), key=lambda e: e["duration_ms"])
    assert (frame["name"], frame["url"], frame["cause"]) == ("frame", "/page", "BUTTON#b.onclick")
    assert frame["duration_ms"] >= 120
    assert frame["phases"]["script_ms"] >= 115
    assert frame["value"] >= 60


def test_assets_are_bounded_and_third_parties_summed(visit: Open) -> None:
    own = "".join(f"<img src=/own{i}.png>" for i in range(40))
    theirs = "".join(f"<img src=OTHER/theirs{i}.png>" for i in range(12))
    opened = visit(goto=False)
    page = own + theirs.replace("OTHER", opened.site.other) + "<img src=/gone.jpg>"
    html, headers = opened.site.pages["/page"]
    opened.site.pages["/page"] = (html.replace("<h1>Hello</h1>", page), headers)
    opened.page.goto(opened.site.url + "/page", wait_until="load")
    opened.page.wait_for_timeout(1600)
    opened.leave()
    resources = opened.events("resource")
    assert len(resources) <= 14
    (summed,) = [e for e in resources if e["url"] == opened.site.other]
    assert (summed["count"], summed["initiator"]) == (12, "third-party")
    (gone,) = [e for e in resources if e["url"] == "/gone.jpg"]
    assert gone["status_code"] == 404


def test_marks_measures_elements_and_spans(visit: Open) -> None:
    body = """<img id=i src=/e.png elementtiming=hero width=300 height=120><script>performance.mark('a'); setTimeout(() => performance.measure('m', 'a'), 120);</script>"""
    opened = visit(body)
    page = opened.page
    page.wait_for_timeout(400)
    assert page.evaluate("farside.span('sync', () => 7)") == 7
    assert page.evaluate("farside.span('async', () => new Promise((r) => setTimeout(() => r(8), 60)))") == 8
    assert (
        page.evaluate(
            "(() => { try { farside.span('throws', () => { throw new RangeError('own') }) } catch (e) { return e.name } })()"
        )
        == "RangeError"
    )
    page.evaluate("farside.mark('price', 12.5)")
    opened.leave()
    marks = {(e["initiator"], e["name"]): e for e in opened.events("mark")}
    assert ("mark", "a") in marks
    assert marks["measure", "m"]["duration_ms"] == pytest.approx(120, abs=60)
    assert ("element", "hero") in marks
    assert marks["custom", "price"]["value"] == 12.5
    assert marks["span", "async"]["duration_ms"] >= 58
    assert ("span", "throws") in marks
    spans = [marks["span", name] for name in ("sync", "async", "throws")]
    assert len({e["span_id"] for e in spans}) == 3
    assert {e["of"]["trace_id"] for e in spans} == {opened.events("view")[0]["of"]["trace_id"]}, "the view's trace"


def test_what_the_page_says_is_on_every_beacon(visit: Open) -> None:
    opened = visit(environment="test", user="u0")
    opened.page.evaluate("""() => { farside.user('u1'); farside.set('plan', 'pro'); farside.set('gone', 1); farside.set('gone');
      farside.flag('new-cart', true, 'cached'); farside.flag('price', 'b'); }""")
    opened.page.wait_for_timeout(1300)
    opened.leave()
    head = opened.events("view")[0]["of"]
    assert (head["environment"], head["user_id"]) == ("test", "u1")
    assert head["attributes"] == {"plan": "pro"}
    assert head["flags"] == {"new-cart": ["true", "cached"], "price": ["b", "live"]}
    assert head["snippet"] == "0.1.0"


def test_what_the_browser_says_of_the_device_and_the_line(visit: Open) -> None:
    says = "Object.defineProperties(navigator, { deviceMemory: { value: 4 }, connection: { value: { effectiveType: '3g', saveData: true } } })"
    opened = visit(head=f"<script>{says}</script>", place="")
    opened.leave()
    head = opened.events("view")[0]["of"]
    assert (head["device_memory"], head["connection"], head["save_data"]) == (4, "3g", True)


def test_the_core_does_its_part_and_knows_the_whole_api(visit: Open) -> None:
    opened = visit(PAGE, script="farside.core.js")
    opened.page.evaluate("""() => { farside.set('a', 1); farside.flag('f', 1); farside.mark('m'); window.s = farside.span('s', () => 5);
      farside.route('/core'); farside.error(new Error('told')); return fetch('/api/a').then((r) => r.text()); }""")
    opened.page.click("#works")
    opened.page.wait_for_timeout(1300)
    opened.leave()
    assert opened.page.is_closed()
    assert {e["type"] for e in opened.events()} == {"view", "vital", "error", "fetch"}
    assert opened.events("fetch")[0]["trace_source"] == "header"
    assert opened.events("view")[0]["of"]["route"] == "/core"
