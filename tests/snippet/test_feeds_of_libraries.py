"""Infinite scroll as pages get it from npm: libraries that nobody here wrote, each as its README says to use it."""

from pathlib import Path

import pytest

from tests.npm import bundle, installed
from tests.snippet.conftest import FEW_CARDS, Open, Visit

PACKAGES = Path(__file__).parent / "npm"
HTMX = """<main id=list>{cards}<article class=card hx-get="/api/html?ms=60&page=1" hx-trigger="revealed" hx-swap="afterend">
next</article></main>"""
CARD = "<article class=card>card</article>"

# Library → the page it works on, and the address its batches come from.
LIBRARIES = {
    "infinite-scroll": (FEW_CARDS, "/api/html"),
    "react-component": ("<main id=list></main>", "/api/products"),
    "htmx": (HTMX.format(cards=CARD * 11), "/api/html"),
    "jquery": (FEW_CARDS, "/api/products"),
}


@pytest.fixture(scope="module")
def packages() -> Path:
    return installed(PACKAGES)


def open_with(visit: Visit, packages: Path, library: str, body: str) -> None:
    """Load a page that has this library, bundled as its users bundle it, and read for a moment."""
    script = bundle(packages, PACKAGES / "feeds" / f"{library}.js").decode()
    assert "</script" not in script
    html, headers = visit.site.pages["/page"]
    visit.site.pages["/page"] = (html.replace("</html>", f"{body}<script>{script}</script></html>"), headers)
    visit.page.goto(f"{visit.site.url}/page", wait_until="load")
    visit.page.wait_for_timeout(1400)


def scroll_for(visit: Visit, batches: int, count: str = "document.querySelectorAll('.card').length") -> None:
    """Scroll like a reader until so many batches have come."""
    page = visit.page
    page.mouse.move(400, 400)
    for _ in range(batches):
        before = page.evaluate(count)
        for _ in range(60):
            page.mouse.wheel(0, 500)
            page.wait_for_timeout(40)
            if page.evaluate(count) != before:
                break
        assert page.evaluate(count) != before, "the library itself loaded nothing"
        page.wait_for_timeout(250)


def assert_batches(opened: Visit, url: str, batches: int, items: int | None = 10) -> None:
    """Every batch is there, numbered, with its trigger, its response and the moment it was on screen."""
    feeds = opened.events("feed")
    assert [feed["batch"] for feed in feeds] == list(range(1, batches + 1))
    for feed in feeds:
        assert feed["url"] == url
        assert (feed["burst"], feed["duplicates"]) == (1, 0)
        assert feed["distance_px"] >= 0
        assert feed["phases"]["request_ms"] >= 55
        assert 0 <= feed["phases"]["paint_ms"] < 2000
        assert feed["duration_ms"] == pytest.approx(sum(feed["phases"].values()), abs=1)
        request = next(e for e in opened.events("fetch") if e["span_id"] == feed["span_id"])
        assert request["cause"] == "scroll"
        if items:
            assert feed["items"] == items


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_batch_of_a_library_is_known(visit: Open, packages: Path, library: str) -> None:
    body, url = LIBRARIES[library]
    opened = visit("", goto=False)
    open_with(opened, packages, library, body)
    scroll_for(opened, 3)
    opened.leave()
    assert_batches(opened, url, 3)


def test_a_virtual_list_grows_without_growing(visit: Open, packages: Path) -> None:
    opened = visit("", goto=False)
    open_with(opened, packages, "react-virtual", "<main id=list></main>")
    scroll_for(opened, 3, "document.body.dataset.batches")
    opened.leave()
    assert_batches(opened, "/api/products", 3, items=None)


def test_a_button_a_poll_and_a_lazy_picture_are_none(visit: Open, packages: Path) -> None:
    lazy = "<img loading=lazy src=/late.png style='display:block;margin-top:1500px'>"
    bar = "<div style='position:fixed;top:0'><button id=more>more</button><span id=news></span></div>"
    opened = visit("", goto=False)
    open_with(opened, packages, "load-more", f"{bar}{FEW_CARDS}{lazy}")
    opened.page.mouse.move(400, 400)
    for _ in range(3):
        for _ in range(4):
            opened.page.mouse.wheel(0, 300)
            opened.page.wait_for_timeout(60)
        opened.page.click("#more")
        opened.page.wait_for_timeout(300)
    opened.leave()
    assert opened.events("feed") == []
    late = [event for event in opened.events("fetch") if event["at"] > 1500]
    assert {event["cause"] for event in late if event["url"] == "/api/products"} == {"click"}
    # A poll within a second of a click may be the click's; never the scroll's, which it had nothing to do with.
    assert {event["cause"] for event in late if event["url"] == "/api/poll"} <= {"timer", "click"}
    assert opened.events("resource", initiator="img")
