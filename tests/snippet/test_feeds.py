"""Infinite scroll, in all the ways pages do it: every batch is known, and nothing else is taken for one."""

import pytest

from tests.snippet.conftest import FEW_CARDS, Open, Visit

ADD = """
const list = document.getElementById('list');
const add = (n = 10) => { for (let i = 0; i < n; i++) { const a = document.createElement('article'); a.className = 'card';
  a.textContent = 'card ' + list.childElementCount; list.append(a); } };
let page = 0, busy = false;
const nearEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 100;
const more = () => fetch('/api/products?ms=60&page=' + ++page).then((r) => r.json()).then(() => { add(); busy = false; });
"""

WAYS = {
    "a scroll handler": """
        addEventListener('scroll', () => { if (!busy && nearEnd()) { busy = true; more(); } });""",
    "a throttled scroll handler": """
        let timer; addEventListener('scroll', () => { timer ||= setTimeout(() => { timer = 0;
          if (!busy && nearEnd()) { busy = true; more(); } }, 120); });""",
    "a debounced scroll handler": """
        let timer; addEventListener('scroll', () => { clearTimeout(timer); timer = setTimeout(() => {
          if (!busy && nearEnd()) { busy = true; more(); } }, 80); });""",
    "an animation frame": """
        addEventListener('scroll', () => requestAnimationFrame(() => { if (!busy && nearEnd()) { busy = true; more(); } }));""",
    "an observed sentinel": """
        const end = document.createElement('div'); end.style.height = '1px'; list.after(end);
        new IntersectionObserver(([e]) => { if (e.isIntersecting && !busy && scrollY) { busy = true; more(); } }).observe(end);""",
    "a sentinel and an await": """
        const end = document.createElement('div'); end.style.height = '1px'; list.after(end);
        new IntersectionObserver(async ([e]) => { if (!e.isIntersecting || busy || !scrollY) return; busy = true;
          await null; await null; more(); }).observe(end);""",
    "a framework's scheduler": """
        const channel = new MessageChannel(); channel.port1.onmessage = () => more();
        addEventListener('scroll', () => { if (!busy && nearEnd()) { busy = true; channel.port2.postMessage(0); } });""",
    "XMLHttpRequest": """
        addEventListener('scroll', () => { if (busy || !nearEnd()) return; busy = true; const x = new XMLHttpRequest();
          x.open('GET', '/api/products?ms=60&page=' + ++page); x.onload = () => { add(); busy = false; }; x.send(); });""",
    "a script tag": """
        window.got = () => { add(); busy = false; };
        addEventListener('scroll', () => { if (busy || !nearEnd()) return; busy = true;
          const s = document.createElement('script'); s.src = '/api/products?ms=60&call=got&page=' + ++page;
          document.head.append(s); });""",
    "a poll of where the reader is": """
        let moved = false; addEventListener('scroll', () => { moved = true; });
        setInterval(() => { if (moved && !busy && nearEnd()) { moved = false; busy = true; more(); } }, 100);""",
}


def scroll_for(visit: Visit, batches: int) -> None:
    """Scroll like a reader until so many batches have come."""
    page = visit.page
    page.mouse.move(400, 400)
    for _ in range(batches):
        before = page.locator(".card").count()
        for _ in range(40):
            page.mouse.wheel(0, 700)
            page.wait_for_timeout(30)
            if page.locator(".card").count() > before:
                break
        assert page.locator(".card").count() > before, "the page itself loaded nothing"
        page.wait_for_timeout(150)


@pytest.mark.parametrize("way", WAYS)
def test_every_batch_is_known_however_the_page_loads_it(visit: Open, way: str) -> None:
    opened = visit(f"{FEW_CARDS}<script>{ADD}{WAYS[way]}</script>")
    opened.page.wait_for_timeout(1300)  # a reader reads before scrolling; what comes earlier is part of the load
    scroll_for(opened, 3)
    opened.leave()
    feeds = opened.events("feed")
    assert [f["batch"] for f in feeds] == [1, 2, 3]
    for feed in feeds:
        assert "name" not in feed
        assert feed["url"] == "/api/products"
        assert (feed["burst"], feed["duplicates"], feed["items"]) == (1, 0, 10)
        assert feed["phases"]["request_ms"] >= 55
        assert 0 <= feed["phases"]["paint_ms"] < 1500
        assert feed["duration_ms"] == pytest.approx(sum(feed["phases"].values()), abs=1)
        request = next(e for e in opened.events("fetch") if e["span_id"] == feed["span_id"])
        assert request["cause"] == "scroll"
    assert not opened.complaints


def test_a_handler_that_fires_again_and_again_is_a_burst(visit: Open) -> None:
    # The bug of the talk: nothing says that a request is on its way, so every scroll event asks again.
    slow = ADD.replace(
        "ms=60", "ms=900"
    )  # so that all five are on their way before the first answer, on a slow machine too
    opened = visit(
        f"{FEW_CARDS}<script>{slow} addEventListener('scroll', () => {{ if (nearEnd()) more(); }});</script>"
    )
    opened.page.wait_for_timeout(1300)
    opened.page.mouse.move(400, 400)
    for y in (300, 301, 302, 303, 304):  # one scroll event in each frame, all before the first answer
        opened.page.evaluate(
            "y => new Promise((done) => requestAnimationFrame(() => { scrollTo(0, y + 9999); scrollTo(0, scrollY - (y % 2)); done(); }))",
            y,
        )
    opened.page.wait_for_timeout(2000)
    opened.leave()
    feeds = opened.events("feed")
    first = [f for f in feeds if f["batch"] == 1]
    assert len(first) >= 3
    assert [f["burst"] for f in first] == list(range(1, len(first) + 1))
    assert [f["duplicates"] for f in first] == list(range(len(first)))


def test_the_reader_who_waits_at_the_end_stalls(visit: Open) -> None:
    slow = ADD.replace("ms=60", "ms=600")
    opened = visit(f"{FEW_CARDS}<script>{slow}{WAYS['a scroll handler']}</script>")
    opened.page.wait_for_timeout(1300)
    scroll_for(opened, 1)
    opened.leave()
    (feed,) = opened.events("feed")
    assert feed["stall_ms"] == pytest.approx(feed["duration_ms"], abs=80)
    assert feed["distance_px"] == 0


def test_a_reader_met_by_a_prefetch_does_not_stall(visit: Open) -> None:
    early = ADD.replace("- 100", "- 900").replace("ms=60", "ms=200")
    opened = visit(f"{FEW_CARDS}<script>{early} add(20);{WAYS['a scroll handler']}</script>")
    opened.page.wait_for_timeout(1300)
    opened.page.mouse.move(400, 400)
    opened.page.mouse.wheel(0, 1900)
    opened.page.wait_for_timeout(600)
    opened.leave()
    (feed,) = opened.events("feed")
    assert 0 < feed["distance_px"] <= 900
    assert feed["depth_px"] == pytest.approx(1900, abs=5)
    assert not feed.get("stall_ms")


def test_a_container_that_scrolls_by_itself_and_has_a_name(visit: Open) -> None:
    body = """<div id=box data-farside-feed=products style="height:500px;overflow:auto"><div id=list></div></div>"""
    script = ADD.replace("innerHeight + scrollY", "box.clientHeight + box.scrollTop").replace(
        "document.documentElement.scrollHeight", "box.scrollHeight"
    )
    on = "box.addEventListener('scroll', () => { if (!busy && nearEnd()) { busy = true; more(); } });"
    opened = visit(f"{body}<script>{script} add(12); {on}</script>")
    opened.page.wait_for_timeout(1300)
    scroll_for(opened, 2)
    opened.leave()
    assert [(f["name"], f["batch"], f["items"]) for f in opened.events("feed")] == [
        ("products", 1, 10),
        ("products", 2, 10),
    ]


def test_items_inside_one_wrapper_are_counted(visit: Open) -> None:
    wrapped = ADD.replace(
        "const add = (n = 10) => {", "const add = (n = 10) => { const into = document.createElement('div');"
    )
    wrapped = wrapped.replace("list.append(a); }", "into.append(a); } list.append(into);")
    opened = visit(f"{FEW_CARDS}<script>{wrapped}{WAYS['a scroll handler']}</script>")
    opened.page.wait_for_timeout(1300)
    scroll_for(opened, 1)
    opened.leave()
    assert [f["items"] for f in opened.events("feed")] == [10]


def test_a_feed_that_fails_once_it_is_known(visit: Open) -> None:
    failing = ADD.replace(
        "'/api/products?ms=60&page=' + ++page", "'/api/products?ms=60' + (page++ ? '&status=503' : '')"
    )
    failing = failing.replace("r.json()", "r.ok ? r.json() : Promise.reject()").replace(
        "busy = false; });", "busy = false; }, () => {});"
    )
    opened = visit(f"{FEW_CARDS}<script>{failing}{WAYS['a scroll handler']}</script>")
    opened.page.wait_for_timeout(1300)
    scroll_for(opened, 1)
    opened.page.mouse.wheel(0, 2000)
    opened.page.wait_for_timeout(500)
    opened.leave()
    good, bad = opened.events("feed")
    assert (good["status_code"], good["batch"]) == (200, 1)
    assert (bad["status_code"], bad["batch"]) == (503, 2)
    assert "paint_ms" not in bad["phases"]


def test_a_batch_left_behind_is_abandoned(visit: Open) -> None:
    slow = ADD.replace("ms=60&page=' + ++page", "ms=' + (page++ ? 5000 : 60)")
    opened = visit(f"{FEW_CARDS}<script>{slow}{WAYS['a scroll handler']}</script>")
    opened.page.wait_for_timeout(1300)
    scroll_for(opened, 1)
    opened.page.mouse.wheel(0, 2000)
    opened.page.wait_for_timeout(300)
    opened.leave()
    assert [(f["batch"], f.get("abandoned", False)) for f in opened.events("feed")] == [(1, False), (2, True)]


NO_FEED = {
    "a click on load more": (
        "<button id=more style='position:fixed;top:0'>Load more</button>",
        "document.getElementById('more').onclick = () => more();",
        lambda page: (page.mouse.wheel(0, 900), page.wait_for_timeout(100), page.click("#more")),
        "click",
    ),
    "a poll while the page is scrolled": (
        "",
        "setInterval(() => fetch('/api/poll?ms=30').then((r) => r.json()), 150);",
        lambda page: [(page.mouse.wheel(0, 60 * (-1) ** i), page.wait_for_timeout(50)) for i in range(24)],
        "timer",
    ),
    "a ticker that puts news at the top": (
        "",
        """setInterval(() => fetch('/api/news').then(() => { const a = document.createElement('article');
        a.className = 'card'; list.prepend(a); }), 200);""",
        lambda page: [(page.mouse.wheel(0, 90), page.wait_for_timeout(60)) for i in range(20)],
        "timer",
    ),
    "a report of how deep the reader is": (
        "",
        "addEventListener('scroll', () => fetch('/api/depth?ms=10', { method: 'POST' }));",
        lambda page: [(page.mouse.wheel(0, 50), page.wait_for_timeout(40)) for i in range(8)],
        "scroll",
    ),
    "the first batch, loaded with the page": (
        "",
        "more();",
        lambda page: (page.wait_for_timeout(300), page.mouse.wheel(0, 100), page.wait_for_timeout(300)),
        "load",
    ),
}


@pytest.mark.parametrize("case", NO_FEED)
def test_nothing_else_is_taken_for_a_feed(visit: Open, case: str) -> None:
    body, script, act, cause = NO_FEED[case]
    opened = visit(f"{FEW_CARDS}{body}<script>{ADD} {script}</script>")
    opened.page.mouse.move(400, 400)
    if cause != "load":
        opened.page.wait_for_timeout(1300)
    act(opened.page)
    opened.page.wait_for_timeout(400)
    opened.leave()
    requests = opened.events("fetch")
    assert requests
    assert opened.events("feed") == []
    late = [e for e in requests if e["at"] > 1500] or requests
    assert {e["cause"] for e in late} == {cause}


def test_images_that_load_lazily_are_resources(visit: Open) -> None:
    images = "".join(f"<img loading=lazy src=/late{i}.png style='display:block;margin-top:900px'>" for i in range(4))
    opened = visit(images)
    opened.page.wait_for_timeout(1300)
    opened.page.mouse.move(400, 400)
    for _ in range(6):
        opened.page.mouse.wheel(0, 800)
        opened.page.wait_for_timeout(80)
    opened.leave()
    assert opened.events("feed") == []
    assert opened.events("fetch") == []
    assert len(opened.events("resource", initiator="img")) >= 3
