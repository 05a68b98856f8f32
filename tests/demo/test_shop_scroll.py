"""The list's scroll handler, in a real Chromium: its bug is kept, and it is the talk's."""

from playwright.sync_api import Browser, Page, Request, Route


def test_each_scroll_event_near_the_end_asks_again_until_the_page_grows(shop: str, browser: Browser) -> None:
    page, asked = open_list(browser, f"{shop}/products", 1366, 768)
    assert asked == []
    # The replies are held back here, as a slow line would: how fast this machine is must not matter.
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/products?*", hold)
    height = page.evaluate("document.body.clientHeight")
    page.evaluate("scrollTo(0, document.body.clientHeight)")
    for _ in range(8):
        page.mouse.wheel(0, -4)
        page.wait_for_timeout(50)
    assert page.evaluate("document.body.clientHeight") == height
    before_growth = list(asked)
    assert len(before_growth) >= 3
    assert before_growth == [f"page={number}" for number in range(2, 2 + len(before_growth))]
    for route in held:
        route.continue_()
    page.wait_for_function("height => document.body.clientHeight > height", arg=height)
    page.unroute("**/api/products?*")


def test_a_page_that_fills_no_window_asks_at_once(shop: str, browser: Browser) -> None:
    page, asked = open_list(browser, f"{shop}/products", 1440, 2000)
    page.wait_for_function("document.body.clientHeight > innerHeight")
    page.wait_for_timeout(300)
    assert asked[:1] == ["page=2"]
    assert page.locator(".grid .card").count() == 12 * (1 + len(asked))
    assert page.evaluate("scrollY") == 0


def test_one_reader_sees_every_product_once_and_the_list_ends(shop: str, browser: Browser) -> None:
    page, _ = open_list(browser, f"{shop}/products?category=desk", 1366, 768)
    for _ in range(40):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
    page.wait_for_function("document.querySelectorAll('.grid .card').length >= 48")
    shown = page.evaluate("[...document.querySelectorAll('.grid .card')].map(card => card.dataset.product)")
    assert len(shown) == len(set(shown)) == 48


def open_list(browser: Browser, url: str, width: int, height: int) -> tuple[Page, list[str]]:
    """The loaded list, and the pages of it that are asked for from now on."""
    page = browser.new_page(viewport={"width": width, "height": height})
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/products?" in request.url:
            asked.append(request.url.partition("?")[2])

    page.on("request", note)
    page.goto(url)
    return page, asked
