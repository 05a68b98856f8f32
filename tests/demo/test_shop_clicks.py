"""What the pages' buttons do in a real Chromium: errors that are meant, a soft navigation, a jump of the layout."""

from playwright.sync_api import Browser, Error, Page


def test_the_voucher_field_throws_and_the_gift_card_rejects(shop: str, browser: Browser) -> None:
    page = browser.new_page()
    errors = errors_of(page)
    page.goto(f"{shop}/products/7")
    page.locator("[data-voucher-apply]").click()
    page.locator("[data-gift-card]").click()
    page.wait_for_timeout(900)
    assert [(error.name, error.message) for error in errors] == [
        ("TypeError", "Cannot read properties of undefined (reading 'percent')"),
        ("Error", "Gift card balance unavailable (503)"),
    ]


def test_the_quick_view_is_a_soft_navigation(shop: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{shop}/products")
    page.evaluate("window.sameDocument = true")
    page.locator("[data-quick]").nth(2).click()
    page.locator(".quickview[open]").wait_for()
    assert page.url == f"{shop}/products/3"
    page.locator(".quickview [data-add]").click()
    page.wait_for_function("document.querySelector('[data-basket]').textContent === '1'")
    page.locator("[data-close]").click()
    page.locator(".quickview").wait_for(state="hidden")
    assert page.url == f"{shop}/products"
    assert page.evaluate("window.sameDocument")


def test_the_offer_moves_the_page(shop: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(shop)
    page.locator(".offer").wait_for()
    shifted = page.evaluate(
        "new Promise(done => new PerformanceObserver(list =>"
        " done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))"
        ".observe({ type: 'layout-shift', buffered: true }))"
    )
    assert shifted > 0.01


def test_pointing_out_gets_slow_as_the_list_grows(shop: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"{shop}/products")
    page.locator("[name=find]").fill("walnu")
    few_ms = point_out(page)
    while page.locator(".grid .card").count() < 180:
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(40)
    many_ms = point_out(page)
    assert many_ms > 50  # a long task
    assert many_ms > 4 * few_ms
    assert page.locator(".card.dim").count() > 0


def point_out(page: Page) -> float:
    """What one more key costs, in milliseconds."""
    return page.evaluate(
        "() => { const from = performance.now();"
        " document.querySelector('[name=find]').dispatchEvent(new Event('input')); return performance.now() - from }"
    )


def test_no_page_logs_an_error_of_its_own(shop: str, browser: Browser) -> None:
    page = browser.new_page()
    errors = errors_of(page)
    for path in ("/", "/products", "/products/7", "/cart", "/products?category=plants"):
        page.goto(shop + path, wait_until="networkidle")
    assert errors == []


def errors_of(page: Page) -> list[Error]:
    """What the page will throw."""
    errors: list[Error] = []

    def note(error: Error) -> None:
        errors.append(error)

    page.on("pageerror", note)
    return errors
