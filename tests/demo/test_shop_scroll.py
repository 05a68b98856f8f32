"""The list's scroll handler, in a real Chromium: its bug is kept, and it is the talk's."""

from playwright.sync_api import Browser, Page, Request


def test_each_scroll_event_near_the_end_asks_again_until_the_page_grows(shop: str, browser: Browser) -> None:
    page, asked = open_list(browser, shop, 1366, 768, round_trip_ms=400)
    assert asked == []
    height = page.evaluate("document.body.clientHeight")
    page.evaluate("scrollTo(0, document.body.clientHeight)")
    for _ in range(8):
        page.mouse.wheel(0, -4)
        page.wait_for_timeout(30)
    assert page.evaluate("document.body.clientHeight") == height
    before_growth = list(asked)
    assert len(before_growth) >= 3
    page.wait_for_function("height => document.body.clientHeight > height", arg=height)
    assert before_growth == [f"/api/products?page={number}" for number in range(2, 2 + len(before_growth))]


def test_a_page_that_fills_no_window_asks_at_once(shop: str, browser: Browser) -> None:
    page, asked = open_list(browser, shop, 1440, 2000)
    page.wait_for_function("document.body.clientHeight > innerHeight")
    page.wait_for_timeout(300)
    assert asked[:1] == ["/api/products?page=2"]
    assert len(page.query_selector_all(".grid .card")) == 12 * (1 + len(asked))
    assert page.evaluate("scrollY") == 0


def test_one_reader_sees_every_product_once_and_the_list_ends(shop: str, browser: Browser) -> None:
    page, _ = open_list(browser, f"{shop}/products?category=desk", 1366, 768, path="")
    for _ in range(40):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
    shown = page.evaluate("[...document.querySelectorAll('.grid .card')].map(card => card.dataset.product)")
    assert len(shown) == len(set(shown)) == 48


def open_list(
    browser: Browser, shop: str, width: int, height: int, round_trip_ms: int = 0, path: str = "/products"
) -> tuple[Page, list[str]]:
    """The loaded list, and the pages it asks for from now on."""
    page = browser.new_page(viewport={"width": width, "height": height})
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/products" in request.url:
            asked.append(request.url.partition("/api")[1] + request.url.partition("/api")[2])

    page.on("request", note)
    page.goto(shop + path)
    if round_trip_ms:
        limits = {"offline": False, "latency": round_trip_ms, "downloadThroughput": -1, "uploadThroughput": -1}
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", limits)
    return page, asked
