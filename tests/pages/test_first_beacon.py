"""From setup to the first view: a real collector, a real beacon, and a page that notices by itself."""

from playwright.sync_api import Browser

from tests.conftest import Running, a_beacon


def test_setup_notices_the_first_view_by_itself(collector: Running, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{collector.url}/setup")
    page.get_by_text("waiting for the first beacon").wait_for()
    assert collector.post(a_beacon(key="wrong")).outcome == "unknown_key"
    page.get_by_text("unknown_key").wait_for()
    page.get_by_text("Compare data-key with the key on this page").wait_for()
    page.get_by_text("'wrong' stands in no [apps.…] of farside.toml").wait_for()
    elsewhere = collector.post(a_beacon(), origin="https://shop.example:8443")
    assert elsewhere.outcome == "origin_refused"
    page.get_by_text("add 'https://shop.example:8443' to the origins of [apps.demo] in farside.toml").wait_for()
    beacon = a_beacon(
        {"type": "view", "at": 0, "duration_ms": 800}, {"type": "vital", "at": 700, "name": "LCP", "value": 700}
    )
    assert collector.post(beacon).outcome == "stored"
    page.get_by_text("The first view is here.").wait_for()
    page.get_by_role("link", name="Open the newest view").click()
    page.get_by_role("heading", name="localhost/products/42").wait_for()
    assert beacon["view_id"] in page.url
    assert "700" in page.locator(".card .big").inner_text()
    page.get_by_role("link", name="/products/:id").first.click()
    page.get_by_role("heading", name="Slowest views").wait_for()
    assert "/routes" in page.url
    assert "route=%2Fproducts%2F%3Aid" in page.url
    context.close()
