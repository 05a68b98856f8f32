"""Requests: what is known of each, whose trace it carries, and that the page's own call is left as it was."""

import re
from typing import Any

import pytest

from tests.snippet.conftest import Open
from tests.snippet.site import Site

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def sent(site: Site, path: str) -> dict[str, str]:
    """The headers of the last request for a path."""
    return [seen.headers for seen in site.seen if seen.path.startswith(path) and seen.method != "OPTIONS"][-1]


def test_fetch_and_xhr_carry_the_views_trace(visit: Open, site: Site) -> None:
    opened = visit()
    opened.page.evaluate("fetch('/api/one?ms=30').then((r) => r.json())")
    opened.page.evaluate("""new Promise((done) => { const x = new XMLHttpRequest(); x.open('POST', '/api/two?ms=30');
      x.onloadend = done; x.send('body'); })""")
    opened.page.wait_for_timeout(200)
    opened.leave()
    view = opened.events("view")[0]["of"]
    for method, path, initiator in (("GET", "/api/one", "fetch"), ("POST", "/api/two", "xhr")):
        (event,) = opened.events("fetch", url=path)
        assert sent(site, path)["traceparent"] == f"00-{view['trace_id']}-{event['span_id']}-01"
        assert (event["name"], event["initiator"], event["status_code"]) == (method, initiator, 200)
        assert event["trace_source"] == "header"
        assert event["phases"]["request_ms"] >= 28
        assert event["bytes"] > 300


def test_only_listed_origins_are_told_of_the_trace(visit: Open, site: Site) -> None:
    opened = visit(trace_origins=f"https://elsewhere.example {site.other}x")
    opened.page.evaluate(f"fetch('{site.other}/api/three').then((r) => r.json())")
    opened.page.wait_for_timeout(100)
    opened.leave()
    assert "traceparent" not in sent(site, "/api/three")
    assert not [seen for seen in site.seen if seen.method == "OPTIONS"]
    (event,) = opened.events("fetch")
    assert event["url"] == f"{site.other}/api/three"
    assert "trace_source" not in event


def test_a_listed_origin_is_told(visit: Open, site: Site) -> None:
    opened = visit(trace_origins=site.other)
    opened.page.evaluate(f"fetch('{site.other}/api/three').catch(() => 0)")
    opened.page.wait_for_timeout(100)
    asked = [seen.headers for seen in site.seen if seen.method == "OPTIONS"]
    assert asked[0]["access-control-request-headers"] == "traceparent"


FAILURES = {
    "abort": "const c = new AbortController(); setTimeout(() => c.abort(), 30); fetch('/api/x?ms=400', { signal: c.signal })",
    "timeout": "fetch('/api/x?ms=400', { signal: AbortSignal.timeout(30) })",
    "network": "fetch('http://127.0.0.1:1/x')",
    # Any origin may read, but none with credentials, says the other side.
    "network, for CORS": "fetch('http://127.0.0.1:{port}/api/x', { credentials: 'include' })",
}
XHR_FAILURES = {
    "abort": "x.open('GET', '/api/x?ms=400'); x.send(); setTimeout(() => x.abort(), 30)",
    "timeout": "x.open('GET', '/api/x?ms=400'); x.timeout = 30; x.send()",
    "network": "x.open('GET', 'http://127.0.0.1:1/x'); x.send()",
    "network, for CORS": "x.open('GET', 'http://127.0.0.1:{port}/api/x'); x.withCredentials = true; x.send()",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_says_of_which_kind(visit: Open, failure: str) -> None:
    opened = visit()
    fetching, asking = (calls[failure].replace("{port}", str(opened.site.port)) for calls in (FAILURES, XHR_FAILURES))
    opened.page.evaluate(f"() => {{ {fetching.replace('fetch(', 'return fetch(')}.catch((e) => e.name) }}")
    opened.page.evaluate(
        f"() => new Promise((done) => {{ const x = new XMLHttpRequest(); x.onloadend = done; {asking} }})"
    )
    opened.page.wait_for_timeout(100)
    opened.leave()
    assert [e["failure"] for e in opened.events("fetch")] == [failure.split(",")[0]] * 2
    assert all("status_code" not in e for e in opened.events("fetch"))


def test_offline_is_a_failure_of_its_own(visit: Open) -> None:
    opened = visit()
    opened.page.wait_for_timeout(1300)
    opened.context.set_offline(True)
    opened.page.evaluate("fetch('/api/x').catch(() => 0)")
    opened.page.wait_for_timeout(100)
    opened.context.set_offline(False)
    opened.page.wait_for_timeout(100)
    opened.leave()
    assert [e["failure"] for e in opened.events("fetch")] == ["offline"]


def test_a_traceparent_of_the_pages_own_stays(visit: Open, site: Site) -> None:
    opened = visit()
    own = f"00-{TRACE}-{SPAN}-00"
    opened.page.evaluate(f"fetch('/api/own', {{ headers: {{ TraceParent: '{own}' }} }})")
    opened.page.evaluate(f"""() => {{ const x = new XMLHttpRequest(); x.open('GET', '/api/ownx');
      x.setRequestHeader('traceparent', '{own}'); x.send(); }}""")
    opened.page.wait_for_timeout(200)
    opened.leave()
    for path in ("/api/own?", "/api/ownx"):
        assert sent(site, path.rstrip("?"))["traceparent"] == own
    events = opened.events("fetch")
    assert {(e["trace_source"], e["trace_id"]) for e in events} == {("foreign", TRACE)}


SERVER_TIMING = {
    "the server's span in our trace": ("traceparent", "00-{trace}-{span}-01", "header"),
    "somebody else's trace": ("traceparent", f"00-{TRACE}-{SPAN}-01", "header"),
}


def test_server_timing_names_the_servers_span(visit: Open) -> None:
    opened = visit()
    page = opened.page
    page.wait_for_timeout(1200)
    trace = opened.events("view")[0]["of"]["trace_id"]
    ask = "(t) => fetch('/api/t?ms=1&timing=' + encodeURIComponent(t)).then((r) => r.text())"
    page.evaluate(ask, f'db;dur=12.5, traceparent;desc="00-{trace}-{SPAN}-01"')
    page.evaluate(ask, f'traceparent;desc="00-{TRACE}-{SPAN}-01"')
    page.wait_for_timeout(200)
    opened.leave()
    ours, theirs = opened.events("fetch")
    assert (ours["server_span_id"], ours["phases"]["server_db_ms"]) == (SPAN, 12.5)
    assert "server_span_id" not in theirs


def test_who_is_told_nothing_may_still_name_a_trace(visit: Open, site: Site) -> None:
    opened = visit()
    ask = f"(t) => fetch('{site.other}/api/t?ms=1&timing=' + encodeURIComponent(t)).then((r) => r.text())"
    opened.page.evaluate(ask, f'traceparent;desc="00-{TRACE}-{SPAN}-01"')
    opened.page.evaluate(ask, f"trace;desc=00-{TRACE}-{SPAN}-01")
    opened.page.wait_for_timeout(200)
    opened.leave()
    theirs, ours = opened.events("fetch")
    assert {(e["trace_source"], e["trace_id"]) for e in (theirs, ours)} == {("server-timing", TRACE)}
    assert theirs["server_span_id"] == SPAN != theirs["span_id"]
    assert ours["span_id"] == SPAN
    assert "server_span_id" not in ours


def test_the_navigation_learns_its_trace(visit: Open) -> None:
    for timing, span_key in (
        (f'traceparent;desc="00-{TRACE}-{SPAN}-01"', "server_span_id"),
        (f"trace;desc=00-{TRACE}-{SPAN}-01", "span_id"),
    ):
        opened = visit(headers={"Server-Timing": timing, "Cache-Control": "no-store"}, path=f"/{span_key}")
        opened.leave()
        (view,) = opened.events("view")
        assert (view["of"]["trace_id"], view["trace_source"], view[span_key]) == (TRACE, "server-timing", SPAN)
        assert (view["of"]["span_id"] == SPAN) == (span_key == "span_id")


def test_a_meta_tells_the_trace_unless_the_page_is_cached(visit: Open) -> None:
    head = f'<meta name=traceparent content="00-{TRACE}-{SPAN}-01">'
    opened = visit(head=head, headers={"Cache-Control": "max-age=600"})
    opened.page.wait_for_timeout(1300)
    opened.page.goto(opened.site.url + "/away.png")
    opened.page.goto(opened.site.url + "/page")
    opened.page.wait_for_timeout(1300)
    opened.leave()
    first, again = opened.events("view")
    assert (first["trace_source"], first["of"]["trace_id"]) == ("meta", TRACE)
    assert again["trace_source"] == "cached"
    assert again["of"]["trace_id"] != TRACE


CAUSES = {
    "click": ("<button id=b onclick=\"fetch('/api/c')\">b</button>", lambda page: page.click("#b")),
    "key": ("<input id=i oninput=\"fetch('/api/c')\">", lambda page: page.type("#i", "a")),
    "timer": ("<script>setTimeout(() => fetch('/api/c'), 2400)</script>", lambda page: page.wait_for_timeout(1300)),
    "load": ("<script>fetch('/api/c')</script>", lambda page: None),
    "navigation": (
        "<script>addEventListener('popstate', () => fetch('/api/c')); history.pushState({}, '', '#a')</script>",
        lambda page: page.go_back(),
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_request_knows_its_cause(visit: Open, cause: str) -> None:
    body, act = CAUSES[cause]
    opened = visit(body, place="")
    opened.page.wait_for_timeout(0 if cause == "load" else 1300)
    act(opened.page)
    opened.page.wait_for_timeout(200)
    opened.leave()
    assert [e["cause"] for e in opened.events("fetch")] == [cause]


def test_requests_from_before_the_snippet_are_known_by_their_timing(visit: Open) -> None:
    opened = visit(head="<script>fetch('/api/first?ms=1').then((r) => r.text())</script>", place="defer")
    opened.page.wait_for_timeout(300)
    opened.leave()
    (event,) = opened.events("fetch")
    assert (event["url"], event["cause"], event.get("name")) == ("/api/first", "load", None)
    assert event["phases"]["request_ms"] > 0


# What a page may do with fetch and XHR, and what it must get back: each line runs with the snippet and without.
CALLS: dict[str, str] = {
    "the reply": "fetch('/api/a').then((r) => [r.status, r.url.replace(/^.*\\/api/, '/api'), r.type])",
    "a Request": "fetch(new Request('/api/a', { method: 'PUT', headers: { a: 'b' } })).then((r) => r.status)",
    "a URL": "fetch(new URL('/api/a', location.href)).then((r) => r.status)",
    "a Request as an init": "fetch('/api/a', new Request('/api/b', { method: 'POST', headers: { 'x-a': '1' } })).then((r) => r.json()).then((d) => d.headers['x-a'])",
    "a Request of another frame": "(() => { const f = document.createElement('iframe'); document.body.append(f); return fetch(new f.contentWindow.Request(location.origin + '/api/a', { headers: { 'x-a': '1' } })).then((r) => r.json()).then((d) => d.headers['x-a']) })()",
    "an init for a Request": "fetch(new Request('/api/a'), { method: 'POST', body: 'x' }).then((r) => r.status)",
    "headers as a list": "fetch('/api/a', { headers: [['x-a', '1'], ['x-b', '2']] }).then((r) => r.json()).then((d) => [d.headers['x-a'], d.headers['x-b']])",
    "a Headers object": "fetch('/api/a', { headers: new Headers({ 'x-a': '1' }) }).then((r) => r.json()).then((d) => d.headers['x-a'])",
    "a body that streams": "fetch('/api/a', { method: 'POST', duplex: 'half', body: new Response('abc').body }).then((r) => r.status, (e) => e.name)",
    "a wrong address": "fetch('http://').catch((e) => [e.name, e.message])",
    "no address": "fetch().catch((e) => [e.name, e.message])",
    "a wrong this": "fetch.call({}, '/api/a').catch((e) => [e.name, e.message])",
    "a forbidden method": "fetch('/api/a', { method: 'TRACE' }).catch((e) => [e.name, e.message])",
    "a wrong header": "fetch('/api/a', { headers: { 'a b': 'c' } }).catch((e) => [e.name, e.message])",
    "no-cors": "fetch('http://127.0.0.1:{port}/api/a', { mode: 'no-cors' }).then((r) => r.type)",
    "a null init": "fetch('/api/a', null).then((r) => r.status)",
    "name and length": "[fetch.name, fetch.length, '' + fetch, fetch.toString(), typeof fetch, Object.keys(fetch)]",
    "XHR's names": "['open', 'send', 'setRequestHeader'].map((n) => [XMLHttpRequest.prototype[n].name, XMLHttpRequest.prototype[n].length, '' + XMLHttpRequest.prototype[n]])",
    "observers' names": "[IntersectionObserver.name, IntersectionObserver.length, '' + IntersectionObserver, new IntersectionObserver(() => 0) instanceof IntersectionObserver]",
    "timers' names": "[setTimeout.name, setTimeout.length, '' + setTimeout, '' + requestAnimationFrame]",
    "a wrong observer": "(() => { try { new IntersectionObserver() } catch (e) { return [e.name, e.message] } })()",
    "an observer without new": "(() => { try { IntersectionObserver(() => 0) } catch (e) { return [e.name, e.message] } })()",
    "an observer of one's own": "(() => { class Mine extends IntersectionObserver {} return [new Mine(() => 0) instanceof Mine, new Mine(() => 0).rootMargin] })()",
    "XHR in the wrong state": "(() => { try { new XMLHttpRequest().send() } catch (e) { return [e.name, e.message] } })()",
    "XHR with a wrong header": "(() => { const x = new XMLHttpRequest(); try { x.setRequestHeader('a', 'b') } catch (e) { return [e.name, e.message] } })()",
    "synchronous XHR": "(() => { const x = new XMLHttpRequest(); x.open('GET', '/api/a', false); x.send(); return [x.status, x.readyState] })()",
    "text as a timer": "new Promise((done) => { window.done = done; setTimeout('done(7)', 1) })",
    "arguments of a timer": "new Promise((done) => setTimeout(done, 1, 8))",
}


def test_the_page_gets_what_it_would_without_the_snippet(visit: Open, site: Site) -> None:
    with_it, without = visit(path="/with"), visit(path="/without", script="")
    with_it.page.wait_for_timeout(200)
    for what, call in CALLS.items():
        code = call.replace("{port}", str(site.port))
        assert with_it.page.evaluate(code) == without.page.evaluate(code), what


def test_a_rejection_nobody_handles_is_still_unhandled(visit: Open) -> None:
    opened = visit()
    opened.page.evaluate(
        "() => { window.seen = []; addEventListener('unhandledrejection', (e) => seen.push(e.reason.name)); }"
    )
    opened.page.evaluate("() => { fetch('http://127.0.0.1:1/'); }")
    opened.page.evaluate("() => { farside.span('s', () => Promise.reject(new RangeError('x'))); }")
    opened.page.wait_for_timeout(300)
    assert sorted(opened.page.evaluate("seen")) == ["RangeError", "TypeError"]


OTHER_SDK = """const theirs = window.fetch; window.fetch = function (...args) { window.calls = (window.calls || 0) + 1;
  return theirs.apply(this, args); }; const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...args) { window.opens = (window.opens || 0) + 1; return open.apply(this, args); };"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_other_sdks_patches_work_before_ours_and_after(visit: Open, when: str) -> None:
    script = f"<script>{OTHER_SDK}</script>"
    opened = visit(body=script if when == "after" else "", head=script if when == "before" else "", place="")
    answer: Any = opened.page.evaluate("""fetch('/api/a').then((r) => r.status).then((s) => new Promise((done) => {
      const x = new XMLHttpRequest(); x.open('GET', '/api/b'); x.onload = () => done([s, x.status]); x.send(); }))""")
    assert answer == [200, 200]
    assert opened.page.evaluate("[calls, opens]") in ([1, 1], [2, 1], [3, 1])
    opened.page.wait_for_timeout(100)
    opened.leave()
    assert [(e["url"], e["status_code"]) for e in opened.events("fetch")] == [("/api/a", 200), ("/api/b", 200)]
    assert re.fullmatch("[0-9a-f]{16}", opened.events("fetch")[0]["span_id"])
