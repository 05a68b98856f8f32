"""A good guest: privacy by default, consent, strict policies, and nothing of ours in the page's way."""

import json
from typing import Any

import pytest

from tests.conftest import ROOT, wait_until
from tests.snippet.conftest import Open
from tests.snippet.site import Site


def everything(site: Site) -> str:
    return str(site.attempts)


def test_nothing_private_leaves_by_default(visit: Open, site: Site) -> None:
    body = """<a id=link href="/else?secret=1">my secret name</a><input id=field value="secret value"><button id=b title=secret>secret</button>
    <script>fetch('/api/a?token=secret#secret').then((r) => r.json()); performance.mark('asked https://x.example/y?secret=1');
    setTimeout(() => { throw new Error('cannot load https://x.example/y?token=secret') }, 200);</script><img src="/a.png?secret">"""
    opened = visit(body, path="/page?email=secret")
    opened.page.wait_for_timeout(300)
    opened.page.type("#field", "more secret")
    opened.page.click("#b")
    opened.page.evaluate("history.pushState({}, '', '/other?secret=1#secret')")
    opened.page.wait_for_timeout(300)
    opened.leave()
    assert opened.events("error")[0]["message"] == "cannot load https://x.example/y"
    assert "secret" not in everything(site)
    assert opened.context.cookies() == []


def test_queries_that_are_allowed_stay(visit: Open) -> None:
    opened = visit(
        "<script>fetch('/api/a?page=3&token=secret').then((r) => r.json())</script>",
        path="/page?tab=x&id=secret",
        query_allow="page tab",
    )
    opened.leave()
    assert opened.events("view")[0]["of"]["url"].endswith("/page?tab=x")
    assert opened.events("fetch")[0]["url"] == "/api/a?page=3"


def test_before_consent_nothing_is_stored_or_sent(visit: Open, site: Site) -> None:
    opened = visit(consent="required")
    opened.page.evaluate("farside.mark('before')")
    opened.page.wait_for_timeout(1800)
    assert opened.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert site.attempts == []
    opened.page.evaluate("farside.consent()")
    opened.wait_for("mark", name="before")
    assert opened.page.evaluate("localStorage.length") >= 1


def test_without_consent_even_the_end_is_silent(visit: Open, site: Site) -> None:
    opened = visit(consent="required")
    opened.page.wait_for_timeout(500)
    opened.page.close()
    opened.context.new_page().wait_for_timeout(800)
    assert site.attempts == []


def test_who_opts_out_is_forgotten(visit: Open, site: Site) -> None:
    opened = visit()
    opened.page.evaluate("farside.optOut(); farside.mark('unwanted')")
    opened.page.wait_for_timeout(1500)
    opened.page.close()
    again = visit(context=opened.context)
    again.page.evaluate("fetch('/api/a')")
    again.page.wait_for_timeout(1800)
    assert site.attempts == []
    assert again.page.evaluate("typeof fetch") == "function"
    assert list(again.page.evaluate("JSON.parse(localStorage.farside)")) == ["o"]


@pytest.mark.parametrize(
    ("signal", "property"), [("gpc", "globalPrivacyControl: { value: true }"), ("dnt", "doNotTrack: { value: '1' }")]
)
@pytest.mark.parametrize("respect", ["", "gpc,dnt"])
def test_privacy_signals_count_as_configured(visit: Open, site: Site, signal: str, property: str, respect: str) -> None:  # noqa: A002
    opened = visit(head=f"<script>Object.defineProperties(navigator, {{ {property} }})</script>", respect=respect)
    opened.page.wait_for_timeout(1700)
    opened.page.close()
    opened.context.new_page().wait_for_timeout(300)
    assert bool(site.attempts) == (respect == "")


def test_a_strict_policy_and_trusted_types_have_nothing_to_say(visit: Open, site: Site) -> None:
    policy = f"default-src 'none'; script-src {site.url}; connect-src {site.url}; img-src 'self'; style-src 'unsafe-inline'; require-trusted-types-for 'script'"
    opened = visit("<h1>x</h1><button id=b>b</button>", headers={"Content-Security-Policy": policy})
    opened.page.click("#b")
    opened.page.wait_for_timeout(1300)
    opened.leave()
    assert opened.complaints == []
    assert opened.events("error") == []
    assert opened.events("view")


def test_a_nonce_and_a_fingerprint_are_all_a_page_needs(visit: Open, site: Site) -> None:
    loader = (ROOT / "collector/snippet/loader.js").read_text()
    known = json.loads((ROOT / "collector/snippet/manifest.json").read_text())["farside.js"]["sha384"]
    head = f"""<script nonce=n0>{loader}</script><script nonce=n0>setTimeout(() => {{ throw new Error('early') }})</script>
    <script nonce=n0 src="{site.other}/farside.js" integrity="{known}" crossorigin defer data-key=demo data-url="{site.url}/b"
    data-release=nonce></script>"""
    policy = f"default-src 'none'; script-src 'nonce-n0'; connect-src {site.url}; style-src 'unsafe-inline'"
    opened = visit(head=head, script="", headers={"Content-Security-Policy": policy})
    opened.page.close()
    site.wait_for("nonce", "view")
    assert [e["message"] for e in site.wait_for("nonce", "error")] == ["early"]
    assert [c for c in opened.complaints if "early" not in c] == []


def test_the_page_gets_one_global_and_no_unload_listener(visit: Open) -> None:
    counting = """<script>window.before = new Set(Object.getOwnPropertyNames(window)); window.listened = new Set();
    for (const target of [window, document]) { const add = target.addEventListener; target.addEventListener = function (type, ...rest) {
      listened.add(type); return add.call(this, type, ...rest); }; }</script>"""
    opened = visit(head=counting)
    added = opened.page.evaluate(
        "Object.getOwnPropertyNames(window).filter((n) => !before.has(n) && !['before', 'listened', 'addEventListener'].includes(n))"
    )
    assert added == ["farside"]
    listened = opened.page.evaluate("[...listened]")
    assert not {"unload", "beforeunload"} & set(listened)
    assert "pagehide" in listened


BROKEN: dict[str, str] = {
    "no storage": "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied') } })",
    "no observers": "delete window.PerformanceObserver; delete window.MutationObserver; delete window.IntersectionObserver",
    "no fetchLater": "delete window.fetchLater",
    "no beacon": "delete Navigator.prototype.sendBeacon",
    "no idle callback": "delete window.requestIdleCallback",
    "no navigation entry": "performance.getEntriesByType = () => []",
    "a frozen history": "Object.freeze(history); Object.freeze(XMLHttpRequest.prototype)",
    "a prototype with more": "Object.prototype.extra = 1; Array.prototype.extra = 1",
    "a frame of its own": "document.domain",
}


@pytest.mark.parametrize("how", BROKEN)
def test_in_a_broken_browser_it_does_what_it_can_and_never_throws(visit: Open, how: str) -> None:
    opened = visit(
        '<button id=b onclick=\'history.pushState({}, "", "/x")\'>b</button>',
        head=f"<script>{BROKEN[how]}</script>",
        tolerate=True,
    )
    opened.page.evaluate("""() => { farside.set('a', 1); farside.mark('m'); farside.user('u'); farside.route('/r'); farside.flag('f', true);
      farside.error(new Error('told')); return fetch('/api/a').then((r) => r.status) }""")
    opened.page.click("#b")
    opened.page.wait_for_timeout(1300)
    opened.page.close()
    opened.wait_for("error", message="told")
    assert not [c for c in opened.complaints if c.startswith("error")]


def test_calls_that_make_no_sense_are_swallowed_and_counted(visit: Open) -> None:
    opened = visit(tolerate=True)
    opened.page.evaluate("""() => { const bad = { toString() { throw new Error('mine') } };
      for (const name of ['route', 'user', 'set', 'flag', 'error', 'mark', 'consent']) { farside[name](); farside[name](bad, bad, bad); farside[name](Symbol('x')); }
      farside.init({ key: 'other' }); for (let i = 0; i < 90; i++) { farside.set('n' + i, i); farside.flag('f' + i, i); } farside.mark('last'); }""")
    opened.page.wait_for_timeout(1300)
    opened.leave()
    head = opened.site.beacons[-1]
    assert head["key"] == "demo"
    assert len(head["attributes"]) <= 32
    assert len(head["flags"]) <= 64
    assert opened.dropped()["internal"] > 0
    assert opened.dropped()["names"] > 0


def test_no_handler_of_ours_forces_a_layout(visit: Open) -> None:
    # A style is made dirty before each event; whoever reads geometry in a handler then pays for a layout of 4,000 cards.
    body = """<main id=list></main><button id=b style="position:fixed;top:0">b</button><script>
    list.innerHTML = '<article class=card>x</article>'.repeat(4000); window.forced = 0;
    for (const [proto, name] of [[Element, 'scrollHeight'], [Element, 'scrollTop'], [Element, 'clientHeight'], [HTMLElement, 'offsetHeight']]) {
      const { get } = Object.getOwnPropertyDescriptor(proto.prototype, name);
      Object.defineProperty(proto.prototype, name, { get() { const t = performance.now(); const v = get.call(this);
        if (performance.now() - t > 3) forced++; return v; } }); }
    for (const type of ['scroll', 'click']) addEventListener(type, () => { list.style.paddingTop = Math.random() + 'px'; }, true);
    </script>"""
    opened = visit(body)
    opened.page.mouse.move(400, 400)
    for _ in range(12):
        opened.page.mouse.wheel(0, 400)
        opened.page.wait_for_timeout(30)
    opened.page.click("#b")
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("forced") == 0


def test_remote_config_is_announced_and_holds_from_the_next_load(visit: Open, site: Site) -> None:
    site.config = {
        "version": "7",
        "enabled": True,
        "sample_n": 1,
        "tracing": False,
        "captures": {"actions": False, "marks": False},
    }
    site.answers = lambda: 204
    site.reply_headers = {"x-farside-config": "7"}
    opened = visit("<button id=b>b</button>")
    opened.page.click("#b")
    wait_until(lambda: [seen for seen in site.seen if seen.path == "/c/demo"])
    opened.page.wait_for_timeout(200)
    opened.page.close()
    again = visit("<button id=b>b</button>", context=opened.context)
    again.page.click("#b")
    again.page.evaluate("farside.mark('m'); fetch('/api/untraced')")
    again.page.wait_for_timeout(300)
    again.leave()
    assert opened.events("action")
    assert (again.events("action"), again.events("mark")) == ([], [])
    assert again.events("view")[0]["of"]["config"] == "7"
    assert "traceparent" not in next(seen.headers for seen in site.seen if seen.path == "/api/untraced")
    assert len([seen for seen in site.seen if seen.path == "/c/demo"]) == 1


def test_a_config_that_cannot_be_had_is_not_waited_for(visit: Open, site: Site) -> None:
    site.answers = lambda: 204
    site.reply_headers = {"x-farside-config": "8"}  # announced, and not there
    opened = visit("<button id=b>b</button>")
    wait_until(lambda: [seen for seen in site.seen if seen.path == "/c/demo"])
    opened.page.click("#b")
    opened.leave()
    assert opened.events("action")
    again = visit("<button id=b>b</button>", context=opened.context)
    again.page.click("#b")
    again.leave()
    assert again.events("action"), "by the defaults"
    assert "config" not in again.events("view")[0]["of"]


def test_the_kill_switch_stops_everything_and_can_be_undone(visit: Open, site: Site) -> None:
    opened = visit()
    opened.wait_for("view")
    opened.page.evaluate("localStorage['farside.config'] = JSON.stringify({ version: '1', enabled: false })")
    site.config = {"version": "2", "enabled": True}
    killed = visit(context=opened.context)
    killed.page.wait_for_timeout(1600)
    assert killed.events() == []
    assert killed.page.evaluate("'' + fetch") == "function fetch() { [native code] }"
    killed.page.close()
    back = visit(context=opened.context)
    back.wait_for("view")


def test_a_session_is_recorded_whole_or_not_at_all(visit: Open, site: Site) -> None:
    def recorded(session_id: str, n: int) -> bool:
        return int(session_id[:8], 16) * n < 2**32

    for first_digits, n in (("0fffffff", "16"), ("10000000", "16"), ("ffffffff", "1")):
        opened = visit(goto=False, sample=n)
        session = first_digits + "0" * 24
        opened.page.add_init_script(
            f"localStorage.farside = JSON.stringify({{ s: '{session}', t: Date.now(), l: Date.now() }})"
        )
        opened.page.goto(f"{site.url}/page")
        opened.page.wait_for_timeout(1700)
        events: list[dict[str, Any]] = opened.events("view")
        assert bool(events) == recorded(session, int(n))
        if events:
            assert events[0]["of"].get("sample_n", 1) == int(n)
        opened.context.close()


def test_a_session_that_was_not_sampled_keeps_its_tail_from_an_error_on(visit: Open, site: Site) -> None:
    opened = visit("<button id=b>b</button><img src=/gone.jpg>", goto=False, sample="16")
    unlucky = "ffffffff" + "0" * 24
    opened.page.add_init_script(
        f"localStorage.farside ||= JSON.stringify({{ s: '{unlucky}', t: Date.now(), l: Date.now() }})"
    )
    opened.page.goto(f"{site.url}/page")
    opened.page.evaluate("fetch('/api/silent')")
    opened.page.click("#b")
    opened.page.wait_for_timeout(1700)
    assert site.attempts == []  # an image that is gone is nobody's error
    assert next(seen for seen in site.seen if seen.path == "/api/silent").headers["traceparent"].endswith("-00")
    opened.page.evaluate("setTimeout(() => { throw new Error('at last') })")
    opened.page.wait_for_timeout(100)
    opened.page.evaluate("fetch('/api/loud')")
    opened.leave()
    assert next(seen for seen in site.seen if seen.path == "/api/loud").headers["traceparent"].endswith("-01")
    assert {e["type"] for e in opened.events()} >= {"view", "vital", "action", "error"}
    assert {e["of"]["sample_n"] for e in opened.events()} == {0}
    assert {e["of"]["session_id"] for e in opened.events()} == {unlucky}
    again = visit(context=opened.context, sample="16")  # the same session, so the tail goes on
    again.leave()
    assert again.events("view")[0]["of"]["sample_n"] == 0


def test_a_page_nobody_agreed_to_keeps_no_more_than_its_latest_views(visit: Open, site: Site) -> None:
    opened = visit(consent="required")
    opened.page.wait_for_timeout(200)
    opened.page.evaluate("for (let i = 0; i < 40; i++) history.pushState({}, '', '/soft/' + i)")
    opened.page.evaluate("farside.consent()")
    opened.leave()
    assert 1 < len(opened.events("view")) <= 7


def test_a_viewport_that_was_turned_is_told_as_it_is(visit: Open) -> None:
    opened = visit()
    opened.wait_for("view")
    opened.page.set_viewport_size({"width": 700, "height": 1000})
    opened.page.evaluate("farside.mark('turned')")
    opened.leave()
    sizes = [
        (e["of"]["viewport_width"], e["of"]["viewport_height"])
        for e in opened.events()
        if e["type"] in ("view", "mark")
    ]
    assert sizes == [(1000, 700), (700, 1000)]


def test_a_window_resized_before_the_first_view_is_no_failure(visit: Open) -> None:
    # At the end of the very task in which somebody begins to listen; the view begins in a later one.
    head = """<script>const { addEventListener } = window; window.addEventListener = function (type) {
        if (type === 'resize') queueMicrotask(() => dispatchEvent(new Event('resize')));
        return addEventListener.apply(this, arguments); };</script>"""
    opened = visit(head=head)
    opened.wait_for("view")
    opened.leave()
    assert opened.dropped() == {}
