"""Errors: every kind arrives once, with what led to it, and never more than a view may report."""

import json

from tests.conftest import ROOT, Running
from tests.snippet.conftest import Open
from tests.snippet.site import Event

BUTTONS = """<button id=throw>t</button><button id=reject>r</button><button id=cause>c</button><script>
document.getElementById('throw').onclick = () => { throw new TypeError('the basket is empty'); };
document.getElementById('reject').onclick = () => { Promise.reject(new Error('no price')); };
document.getElementById('cause').onclick = () => { throw new Error('outer', { cause: new RangeError('inner') }); };
</script>"""


def by_name(events: list[Event]) -> dict[str, Event]:
    return {event["name"]: event for event in events}


def kept_breadcrumbs(collector: Running, visit: str) -> list[list[tuple[float, str, str]]]:
    """What the collector keeps of what came before each error of a visit."""
    collector.settled()
    sql = "SELECT breadcrumbs FROM events WHERE release = {name:String} AND type = 'error' ORDER BY timestamp"
    return [json.loads(row["breadcrumbs"]) for row in collector.rows(sql, name=visit)]


def test_what_is_thrown_and_what_is_rejected(visit: Open, snippet_collector: Running) -> None:
    opened = visit(BUTTONS)
    for button in ("throw", "reject", "cause"):
        opened.page.click(f"#{button}")
    opened.leave()
    thrown, rejected, caused = opened.events("error")
    assert (thrown["name"], thrown["error_type"], thrown["message"]) == ("error", "TypeError", "the basket is empty")
    assert "HTMLButtonElement" in thrown["stack"] or "onclick" in thrown["stack"]
    assert (rejected["name"], rejected["message"]) == ("rejection", "no price")
    assert "Caused by: RangeError: inner" in caused["stack"]
    assert [len(error["crumbs"]) for error in (thrown, rejected, caused)] == [1, 2, 2], "each is said once in a beacon"
    kept = kept_breadcrumbs(snippet_collector, opened.name)
    led = [
        ["click", "#throw"],
        ["error", "the basket is empty"],
        ["click", "#reject"],
        ["error", "no price"],
        ["click", "#cause"],
    ]
    assert [[crumb[1:] for crumb in crumbs] for crumbs in kept] == [led[:1], led[:3], led], "and kept with each error"
    assert all(
        crumb[0] <= error["at"] + 1
        for error, crumbs in zip((thrown, rejected, caused), kept, strict=True)
        for crumb in crumbs
    )


def test_an_error_in_a_beacon_of_its_own_says_all_that_came_before(visit: Open, snippet_collector: Running) -> None:
    opened = visit("<button id=a>a</button>")
    opened.page.click("#a")
    opened.page.evaluate(
        "for (const name of ['first', 'second']) { const e = new Error(name);"
        " e.stack = name + ' at f (https://x/y.js:1:2)'.repeat(400); farside.error(e); }"
    )
    opened.leave()
    first, second = opened.events("error")
    assert first["of"]["beacon_id"] != second["of"]["beacon_id"], "too long for one"
    assert [crumb[1:] for crumb in kept_breadcrumbs(snippet_collector, opened.name)[1]] == [
        ["click", "#a"], ["error", "first"],
    ]  # fmt: skip


def test_what_happened_before_the_snippet_came(visit: Open) -> None:
    loader = (ROOT / "collector/snippet/loader.js").read_text()
    head = f"""<script>{loader}</script><script>farside.set('shop', 'north'); farside.mark('early');
    window.ran = farside.span('early work', () => 41) + 1; farside.error(new Error('reported early'));
    setTimeout(() => Promise.reject(new Error('rejected early')));</script>
    <script>throw new Error('thrown early')</script><link rel=stylesheet href=/missing.css><script>new Image().src = 'data:,'</script>"""
    opened = visit("<h1>x</h1>", head=head, place="defer", headers={"Content-Security-Policy": "img-src 'self'"})
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("window.ran") == 42
    opened.leave()
    messages = {event["message"]: event["name"] for event in opened.events("error")}
    assert messages == {
        "thrown early": "error", "rejected early": "rejection", "reported early": "manual", "link failed": "resource",
        "img-src blocked data": "csp",
    }  # fmt: skip
    assert opened.events("mark", name="early")[0]["initiator"] == "custom"
    assert opened.events("view")[0]["of"]["attributes"] == {"shop": "north"}


def test_an_asset_that_fails_and_a_policy_that_forbids(visit: Open) -> None:
    policy = "img-src 'self'; report-uri /nowhere"
    opened = visit(
        f"<img id=gone src=/gone.jpg?token=secret><img src={'http://127.0.0.1:1'}/x.png>",
        headers={"Content-Security-Policy": policy},
        place="",
    )
    opened.page.wait_for_timeout(300)
    opened.leave()
    errors = by_name(opened.events("error"))
    failed = {event["url"]: event["target"] for event in opened.events("error", name="resource")}
    assert failed == {"/gone.jpg": "#gone", "http://127.0.0.1:1/x.png": "html>body>img"}, "each asset for itself"
    assert errors["csp"]["message"] == "img-src blocked http://127.0.0.1:1/x.png"
    assert errors["csp"]["error_type"] == "enforce"


def test_a_report_of_the_pages_own(visit: Open) -> None:
    opened = visit()
    opened.page.evaluate("farside.error(new SyntaxError('own'), { order: 42, nothing: null })")
    opened.page.evaluate("farside.error('only words')")
    opened.page.evaluate("farside.error(undefined)")
    opened.leave()
    own, words, nothing = opened.events("error", name="manual")
    assert (own["error_type"], own["attributes"]) == ("SyntaxError", {"order": "42", "nothing": "null"})
    assert words["message"] == "only words"
    assert "message" not in nothing


def test_the_same_error_is_counted_not_repeated(visit: Open) -> None:
    opened = visit(
        "<script>const fail = () => { throw new Error('again') }; setTimeout(() => { for (let i = 0; i < 500; i++)"
        " setTimeout(fail); }, 200);</script>"
    )
    opened.page.wait_for_timeout(900)
    opened.leave()
    errors = opened.events("error")
    assert sum(event.get("count", 1) for event in errors) == 500
    assert len(errors) <= 3


def test_a_flood_of_different_errors_is_capped(visit: Open) -> None:
    opened = visit(
        "<script>setTimeout(() => { for (let i = 0; i < 500; i++) setTimeout(() => { throw new Error('no ' + i) }); },"
        " 200);</script>"
    )
    opened.page.wait_for_timeout(1500)
    opened.leave()
    assert len(opened.events("error")) == 200
    assert opened.dropped()["errors"] == 300


def test_text_that_is_too_long_or_broken_is_cut_and_mended(visit: Open) -> None:
    opened = visit()
    opened.page.evaluate("farside.error('x'.repeat(1023) + '\\u{1F600}'); farside.error('half \\ud83d')")
    opened.page.evaluate(
        "const e = new Error('deep'); e.stack = 'Error\\n at f (https://x/y.js?k=secret:1:2)\\n'.repeat(900);"
        "farside.error(e)"
    )
    opened.leave()
    long, half, deep = opened.events("error")
    assert len(long["message"]) == 1024
    assert half["message"] == "half \ufffd"
    assert len(deep["stack"]) <= 16_384
    assert "secret" not in deep["stack"]


def test_an_error_is_in_the_views_trace(visit: Open) -> None:
    opened = visit(BUTTONS)
    opened.page.click("#throw")
    opened.leave()
    assert opened.events("error")[0]["of"]["trace_id"] == opened.events("view")[0]["of"]["trace_id"]
