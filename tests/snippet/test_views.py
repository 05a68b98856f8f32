"""Views: hard and soft ones, each with its own id, trace, route and time; background, bfcache and prerender told apart."""

from tests.snippet.conftest import Open
from tests.snippet.site import Event

ROUTER = """<h1>One</h1><button id=go>go</button><button id=same>same</button><script>
document.getElementById('go').onclick = () => { history.pushState({}, '', '/two?token=secret#part');
  fetch('/api/two?ms=300').then((r) => r.text()).then(() => { document.querySelector('h1').textContent = 'Two'; }); };
document.getElementById('same').onclick = () => history.pushState({}, '', '?page=2');
</script>"""


def test_a_hard_view_is_sent_once_with_its_phases(visit: Open) -> None:
    opened = visit()
    opened.page.wait_for_timeout(1400)
    opened.leave()
    (view,) = opened.events("view")
    of = view["of"]
    assert (of["navigation"], of["visibility"], of["seq"]) == ("navigate", "visible", 0)
    assert of["url"] == f"{opened.site.url}/page"
    assert view["duration_ms"] == view["phases"]["load_ms"] > view["phases"]["dom_interactive_ms"] > 0
    assert view["status_code"] == 200
    assert view["bytes"] > 300
    assert (of["viewport_width"], of["viewport_height"]) == (1000, 700)


def test_a_click_that_pushes_a_path_begins_a_soft_view(visit: Open) -> None:
    opened = visit(ROUTER)
    opened.page.wait_for_timeout(1200)
    opened.page.click("#go")
    opened.page.wait_for_timeout(1500)
    opened.leave()
    hard, soft = opened.events("view")
    assert (soft["of"]["navigation"], soft["of"]["url"]) == ("soft", f"{opened.site.url}/two")
    assert soft["initiator"] in ("soft-navigation", "history")
    assert 300 <= soft["duration_ms"] < 700  # the request, what it drew, and no more
    assert hard["of"]["view_id"] != soft["of"]["view_id"]
    assert hard["of"]["trace_id"] != soft["of"]["trace_id"]
    assert hard["of"]["session_id"] == soft["of"]["session_id"]
    (request,) = opened.events("fetch")
    assert request["of"]["view_id"] == soft["of"]["view_id"]


def test_only_another_path_is_another_view(visit: Open) -> None:
    opened = visit(ROUTER)
    opened.page.wait_for_timeout(1200)
    opened.page.click("#same")
    opened.page.evaluate("history.replaceState({}, '', '#here'); location.hash = 'there'")
    opened.page.wait_for_timeout(200)
    opened.leave()
    assert len(opened.events("view")) == 1


def test_a_fragment_that_is_a_path_is_another_view(visit: Open) -> None:
    opened = visit(ROUTER)
    opened.page.wait_for_timeout(1200)
    opened.page.evaluate("location.hash = '#/two'")
    opened.page.wait_for_timeout(200)
    opened.page.evaluate("location.hash = '#!/three'")
    opened.page.wait_for_timeout(200)
    opened.leave()
    assert len(opened.events("view")) == 3


def test_a_router_that_corrects_itself_makes_one_view(visit: Open) -> None:
    opened = visit(ROUTER)
    opened.page.wait_for_timeout(1200)
    opened.page.evaluate("history.pushState({}, '', '/users'); history.replaceState({}, '', '/users/1')")
    opened.page.wait_for_timeout(200)
    opened.leave()
    assert [view["of"]["navigation"] for view in opened.events("view")] == ["navigate", "soft"]


def test_going_back_is_a_view_too(visit: Open) -> None:
    opened = visit(ROUTER)
    opened.page.wait_for_timeout(1200)
    opened.page.click("#go")
    opened.page.wait_for_timeout(500)
    opened.page.go_back()
    opened.page.wait_for_timeout(500)
    opened.leave()
    assert [view["of"]["url"].rsplit("/", 1)[1] for view in opened.events("view")] == ["page", "two", "page"]


def test_without_the_navigation_api_the_history_api_does(visit: Open) -> None:
    opened = visit(ROUTER, head="<script>delete window.navigation; delete Window.prototype.navigation</script>")
    assert opened.page.evaluate("[typeof navigation, history.pushState.name, history.pushState.length]") == [
        "undefined",
        "pushState",
        2,
    ]
    opened.page.wait_for_timeout(1200)
    opened.page.click("#go")
    opened.page.wait_for_timeout(500)
    opened.page.go_back()
    opened.page.wait_for_timeout(300)
    opened.leave()
    assert len(opened.events("view")) == 3


def test_routes_come_from_the_page(visit: Open) -> None:
    opened = visit(ROUTER, head="<meta name=farside:route content='/page/:kind'>")
    opened.page.wait_for_timeout(1300)
    opened.page.click("#go")
    opened.page.evaluate("farside.route('/:number')")
    opened.page.wait_for_timeout(200)
    opened.page.evaluate("history.pushState({}, '', '/three')")  # the meta still speaks of the first view
    opened.page.wait_for_timeout(200)
    opened.page.evaluate("history.pushState({}, '', '/four'); document.querySelector('meta[name^=far]').content = '/4'")
    opened.page.wait_for_timeout(200)
    opened.leave()
    assert [view["of"].get("route") for view in opened.events("view")] == ["/page/:kind", "/:number", None, "/4"]


def test_a_session_spans_views_and_ends_when_idle(visit: Open) -> None:
    opened = visit()
    opened.wait_for("view")
    again = visit(context=opened.context)
    again.wait_for("view")
    age = "(by) => { const s = JSON.parse(localStorage.farside); for (const k of by) s[k] -= 13 * 3600e3; localStorage.farside = JSON.stringify(s); }"
    again.page.evaluate(age, ["t"])
    later = visit(context=opened.context)
    later.wait_for("view")
    later.page.evaluate(age, ["l"])
    last = visit(context=opened.context)
    last.wait_for("view")
    sessions = [v.events("view")[0]["of"]["session_id"] for v in (opened, again, later, last)]
    assert sessions[0] == sessions[1]
    assert len(set(sessions)) == 3


def kinds(events: list[Event]) -> list[str]:
    return [event["of"]["navigation"] for event in events]


def test_a_page_back_from_the_bfcache_is_a_view_with_vitals(visit: Open) -> None:
    # Playwright keeps Chromium from caching pages, so the event is all there is of a restore here.
    opened = visit(goto=False)
    opened.page.goto(f"{opened.site.url}/page")
    opened.page.wait_for_timeout(1300)
    opened.page.evaluate(
        "() => { const e = new PageTransitionEvent('pageshow', { persisted: true }); dispatchEvent(e); }"
    )
    opened.page.wait_for_timeout(400)
    opened.leave()
    assert kinds(opened.events("view")) == ["navigate", "restore"]
    restored = {e["name"]: e["value"] for e in opened.events("vital") if e["of"]["navigation"] == "restore"}
    assert set(restored) == {"LCP", "FCP", "CLS"}
    assert 0 < restored["LCP"] < 300
