"""The pages: from a notice to the cause in one click, the same count on both sides, and changes only by our own forms."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.applications import Starlette

import dashboards
from collector.alerts.measuring import moments
from collector.alerts.text import read
from collector.notify.links import Signer
from collector.query.alerts import flips_of
from collector.settings import DEMO, Apps, Settings
from collector.store import Store
from collector.watch import Watch
from tests.alerts.conftest import NOW, History
from tests.conftest import Running, free_port, wait_until

RULES = """
- {id: lcp, title: LCP of the shop, about: "Look at the images.", metric: lcp, aggregate: p75, where: {app: demo},
   group_by: [route], every: 20m, window: {samples: 60, max: 2h}, fire: {above: 2500, min_users: 5, for: 2},
   tests: [{from: 2026-11-20T10:30Z, to: 2026-11-20T12:00Z, expect: firing}]}
- {id: quiet, metric: lcp, where: {app: demo, route: /nowhere}, fire: {above: 2500}}
"""


class Served:
    """The pages over a store in which one route has been slow for an hour and a half, on one release."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"chdb://{folder / 'chdb'}", scratch=folder / "tmp")
        self.store.open()
        history = History(self.store, 3)
        history.steady(NOW - timedelta(hours=6), NOW, 200, 1_700)
        history.steady(NOW - timedelta(hours=6), NOW - timedelta(minutes=100), 200, 1_800, route="/checkout/:id")
        history.steady(
            NOW - timedelta(minutes=100),
            NOW,
            200,
            3_400,
            route="/checkout/:id",
            release="2.14",
            browser="Chrome Mobile",
        )
        history.write()
        (folder / "rules").mkdir()
        (folder / "rules" / "shop.yaml").write_text(RULES)
        self.watermark = NOW
        settings = Settings(data=folder, apps=Apps([DEMO]))
        self.watch = Watch(settings, self.store, lambda: self.watermark)
        self.watch.evaluator._clock = lambda: self.watermark  # type: ignore[method-assign]
        for at in moments(self.watch.folder.rules.get("lcp") or _rule(self.watch), NOW - timedelta(hours=4), NOW):
            self.watermark = at
            self.watch.evaluator.step()
        routes = dashboards.routes(self.store, settings, lambda: self.watermark, lambda: None, self.watch)
        self.port = free_port()
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="warning", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()))
        self.thread.start()
        wait_until(lambda: self.server.started)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def get(self, path: str) -> str:
        reply = self.client.get(path + ("&" if "?" in path else "?") + "wait=1")
        assert reply.status_code == 200, (path, reply.status_code, reply.text[:500])
        return reply.text

    def close(self) -> None:
        self.client.close()
        self.server.should_exit = True
        self.thread.join(20)
        self.store.close()


def _rule(watch: Watch):  # type: ignore[no-untyped-def]
    watch.folder.refresh()
    return watch.folder.rules["lcp"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    yield served
    served.close()


def test_what_fires_is_told_in_a_sentence_with_its_cause(served: Served) -> None:
    html = unescape(served.get("/alerts"))
    assert "LCP of the shop" in html
    assert re.search(
        r"/checkout/:id p75 LCP [\d.]+ s \([\d.]+ s – [\d.]+ s, n = \d+ in \d+ min, \d+ users\), limit 2\.5 s", html
    )
    assert re.search(
        r" % of the (slow )?views have (.* · )?(release 2\.14|browser Chrome Mobile|route /checkout)", html
    )
    assert "release 2.14" in html, "what changed near the start"
    assert 'class="plot course"' in html
    assert re.search(r"alert fired began to fire", html), "marked on the chart"


def test_one_click_leads_to_a_typical_slow_trace(served: Served) -> None:
    html = unescape(served.get("/alerts"))
    path = re.search(r'href="(/traces/[0-9a-f]{32})">A typical slow trace', html)
    assert path
    trace = path[1].split("/")[2]
    slow = served.store.read(
        "SELECT max(value) AS lcp FROM events WHERE trace_id = {t:String} AND name = 'LCP'", {"t": trace}
    )
    assert slow[0]["lcp"] > 2_500
    served.get(path[1])


def test_the_count_in_the_sentence_is_the_count_of_the_page(served: Served) -> None:
    (flip,) = [f for f in flips_of(served.store, NOW - timedelta(days=1), "lcp") if f.after == "firing"]
    twin = flip.question.replace("/explore?", "/explore.json?")
    (row,) = [r for name, rows in json.loads(served.get(twin)).items() if name in ("groups", "figure", "table", "figures")
              for r in (rows if isinstance(rows, list) else [rows])][:1]  # fmt: skip
    assert row["n"] == flip.n


def test_a_rule_is_tried_with_another_limit(served: Served) -> None:
    text = '- {id: mine, metric: lcp, where: {app: demo, route: "/checkout/**"}, fire: {above: 2500, min_users: 5}}'
    html = served.get(f"/rules?{urlencode({'text': text, 'test': '1'})}")
    assert "would have woken you" in html
    assert 'class="plot course"' in html
    row = re.search(r'<tr data-nr="47">.*?</tr>', html, re.DOTALL)
    assert row, "its number, as the rule saw it last"
    seen = re.findall(r'<td class="n">([^<]*)</td>', row[0])
    assert float(seen[0].split()[0]) > 3, "what the rule saw last, and not what it saw first"
    assert seen[2] == "2.5 s"
    assert "<b>once</b>" in html
    assert "would not have woken you" in served.get(f"/rules/backtest?{urlencode({'text': text, 'limit': '9000'})}")
    broken = served.get(f"/rules?{urlencode({'text': text.replace('lcp', 'lpc'), 'test': '1'})}")
    assert "there is no metric" in unescape(broken)
    assert "would not have woken you" in served.get("/rules?ready=feed-burst&test=1")
    assert "metric: inp" in served.get("/rules?metric=inp&aggregate=p75")


def test_the_slider_tells_while_it_moves(served: Served, browser: Browser) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    text = '- {id: mine, metric: lcp, where: {app: demo, route: "/checkout/**"}, fire: {above: 2500, min_users: 5}}'
    page.goto(f"http://127.0.0.1:{served.port}/rules?{urlencode({'text': text, 'test': '1', 'wait': '1'})}")
    page.get_by_text("would have woken you").wait_for(timeout=30_000)
    page.locator("#limit").focus()
    page.keyboard.press("End")
    page.get_by_text("would not have woken you").wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors == []
    page.close()


def test_what_fires_is_read_and_brushed_by_keys(served: Served, browser: Browser) -> None:
    """The chart of a rule, on the page of alerts and where a rule is tried; and no violation of axe's on either."""
    page = browser.new_page(base_url=f"http://127.0.0.1:{served.port}")
    for address in ("/alerts?wait=1", "/rules?rule=lcp&test=1&wait=1", "/?range=1h&wait=1"):
        page.goto(address)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(v["id"], [node["html"][:200] for node in v["nodes"]][:3]) for v in found] == [], address
        if page.locator("[data-plot]").count():
            page.locator("[data-plot] .plane").first.focus()
            page.keyboard.press("ArrowLeft")
            told = page.locator(".pane [role=status]").first.text_content() or ""
            assert re.search(r"value [\d.]+ s, 95 % .*, limit 2.5 s, n \d+", told), told
            page.keyboard.press("Shift+ArrowLeft")
            assert "Their traces" in page.locator("[data-chosen] a").all_text_contents()
        else:
            assert page.get_by_role("link", name="LCP of the shop").is_visible(), "the overview says what fires"
    page.close()


def test_a_rule_is_written_by_choosing(served: Served) -> None:
    """What the small form sends is a rule's text, with the metric's own limit where none is given."""
    chosen = {"app": "demo", "metric": "cls", "above": "", "group_by": "route", "test": "1"}
    html = unescape(served.get(f"/rules?{urlencode(chosen)}"))
    text = html.split('id="text"')[1].split(">", 1)[1].split("</textarea>")[0]
    (rule,) = read(text, "the form")
    assert (rule.metric, rule.group_by, rule.fire.above) == ("cls", ["route"], 0.1)
    chosen |= {"metric": "lcp", "above": "1800"}
    assert "above: 1800" in served.get(f"/rules?{urlencode(chosen)}")


def test_only_our_own_forms_change_something(spawn: Callable[..., Running], tmp_path: Path) -> None:
    collector = spawn()
    url = collector.url
    with httpx.Client(base_url=url, timeout=60) as client:
        html = client.get("/rules?wait=1").text
        token = re.search(r'name="csrf" value="([^"]+)"', html)
        assert token
        form = {"rule": "feed-burst", "app": "demo", "next": "/rules"}
        assert client.post("/rules/switch", data=form).status_code == 403
        assert client.post("/rules/switch", data=form | {"csrf": token[1]}).status_code == 303
        assert (collector.data / "rules" / "feed-burst.yaml").exists()
        bad = client.post("/rules/save", data={"csrf": token[1], "text": "- {id: x, metric: lpc, where: {app: demo}}"})
        assert (bad.status_code, "here is no metric" in bad.text) == (422, True)
        assert "- {id: x, metric: lpc, where: {app: demo}}</textarea>" in bad.text, "what was written is kept"
        asked = {"accept": "application/json"}
        told = client.post("/rules/save", data={"csrf": token[1], "text": "- {id: x}"}, headers=asked)
        assert (told.status_code, bool(told.json()["problem"])) == (422, True)
        bad = client.post("/alerts/silence", data=form | {"csrf": token[1], "for": "a while", "why": "a <b>party</b>"})
        assert (bad.status_code, 'value="a while"' in bad.text) == (422, True)
        assert 'value="a &lt;b&gt;party&lt;/b&gt;"' in bad.text
        assert client.post("/rules/remove", data=form | {"csrf": token[1]}).status_code == 303
        assert not (collector.data / "rules" / "feed-burst.yaml").exists()
        quiet = {"csrf": token[1], "rule": "lcp", "group": "", "for": "2h", "why": "a party"}
        assert client.post("/alerts/silence", data=quiet).status_code == 303
        assert "a party" in client.get("/alerts?wait=1").text
        signed = Signer(collector.data / "alerts.key").sign({"rule": "lcp", "group": "", "fired_at": "1795000000000"})
        asked = client.get(f"/acknowledge/{signed}").text
        assert "I take it on" in asked
        assert re.search(r", since \d\d \w\w\w \d\d:\d\d UTC", asked), "how long it has gone on"
        assert 'href="/alerts?rule=' in asked
        assert collector.value("SELECT count() FROM acknowledgements") == 0, "a look takes nothing on"
        assert "It is yours" in client.post(f"/acknowledge/{signed}").text
        assert collector.value("SELECT count() FROM acknowledgements") == 1
        assert client.post(f"/acknowledge/{signed[:-3]}abc").status_code == 403
        actions = {row["action"] for row in collector.rows("SELECT action FROM audit")}
        assert {"rule saved", "rule removed", "alert silenced", "alert acknowledged"} <= actions


def test_what_does_not_fire_says_why(served: Served) -> None:
    """Of the rule that fires the group that does not; and the rule nothing comes for."""
    html = unescape(served.get("/alerts"))
    section = html[html.index('id="quiet"') :]
    rows = {
        re.sub("<[^>]+>", " ", row).split("\n")[0].strip(): row
        for row in re.findall(r"<tr><th.*?</tr>", section, re.DOTALL)
    }
    assert "route=/" in rows["LCP of the shop"]
    assert "not above 2.5 s" in rows["LCP of the shop"]
    assert "/checkout" not in rows["LCP of the shop"]
    assert "nothing was received lately" in rows["quiet"]
    value = re.search(r'href="(/explore[^"]+)">([\d.]+) s<', rows["LCP of the shop"])
    assert value
    assert f"n = {re.search(r'n = ([0-9]+)', rows['LCP of the shop'])[1]}" in unescape(served.get(value[1]))  # type: ignore[index]


def test_a_rule_that_stands_among_others_is_not_offered_to_be_saved(spawn: Callable[..., Running]) -> None:
    collector = spawn()
    folder = collector.data / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "shop.yaml").write_text(RULES)
    with httpx.Client(base_url=collector.url, timeout=60) as client:

        def shown(**asked: str) -> str:
            return re.sub("<[^>]+>", "", unescape(client.get("/rules", params={"wait": "1"} | asked).text))

        wait_until(lambda: "LCP of the shop" in shown())
        own = shown(rule="lcp")
        assert "lcp stands among others in rules/shop.yaml" in own
        assert "Save lcp" not in own
        assert "Save other" in shown(text="- {id: other, metric: lcp, where: {app: demo}, fire: {above: 2500}}")
