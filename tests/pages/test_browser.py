"""Pages in a real Chromium: the strict policy is not violated, scripts only add, keys reach everything."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.conftest import Seeded


@pytest.fixture(scope="module")
def addresses(seeded: Seeded) -> list[str]:
    view = next(v for v in seeded.traffic.views if v["route"] == "/collections/:id")
    pages = ["/", "/?app=empty", "/setup", f"/views/{view['view_id']}", f"/traces/{view['trace_id']}", "/views/nobody"]
    return [f"{str(seeded.client.base_url).rstrip('/')}{page}{'&' if '?' in page else '?'}wait=1" for page in pages]


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def test_nothing_violates_the_policy_and_nothing_fails(page: Page, addresses: list[str], complaints: list[str]) -> None:
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle") if "setup" not in address else page.wait_for_timeout(1_800)
        expected = ["404"] if "nobody" in address else []
        assert [c for c in complaints if not any(word in c for word in expected)] == [], address
        complaints.clear()
    # The policy is enforced: what it forbids does not happen.
    page.goto(addresses[0])
    page.evaluate("() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
                  " document.body.append(s) }")  # fmt: skip
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in complaints)


@pytest.mark.parametrize("width", [390, 768, 1360])
def test_no_page_is_wider_than_its_window(page: Page, addresses: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_without_scripts_everything_is_readable(browser: Browser, addresses: list[str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses[0])
    assert page.locator(".card .big").count() == 5
    assert page.locator("svg.spark").count() == 5
    assert not page.locator("button.theme").is_visible()
    page.goto(addresses[4])
    rows = page.locator("[role=treeitem]:visible")
    assert rows.count() > 20
    rows.nth(3).locator("summary").first.click()
    assert rows.nth(3).locator(".more").is_visible()
    page.goto(addresses[2])
    assert page.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count() == 1
    context.close()


def test_the_theme_is_switched_and_remembered(page: Page, addresses: list[str]) -> None:
    def ground() -> Any:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="light")
    page.goto(addresses[0])
    light = ground()
    page.locator("button.theme").click()
    dark = ground()
    assert dark != light
    page.goto(addresses[2])
    assert ground() == dark
    page.locator("button.theme").click()
    assert ground() == light
    page.emulate_media(color_scheme="dark")
    assert ground() == light, "what was chosen goes before the system"


def test_the_tree_is_walked_by_keys(page: Page, addresses: list[str]) -> None:
    page.goto(addresses[4])
    visible = page.locator("[role=tree] > [role=treeitem]:visible")
    before = visible.count()

    def focused(what: str) -> Any:
        return page.evaluate(f"document.activeElement.{what}")

    page.locator("[role=tree] > [role=treeitem]").first.focus()
    page.keyboard.press("ArrowDown")
    assert focused("getAttribute('aria-level')") == "2"
    page.keyboard.press("ArrowLeft")
    shut = visible.count()
    assert shut < before
    assert focused("getAttribute('aria-expanded')") == "false"
    page.keyboard.press("ArrowRight")
    assert visible.count() == before
    page.keyboard.press("ArrowRight")
    assert focused("getAttribute('aria-level')") == "3"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert focused("getAttribute('aria-level')") == "2", "first shut, then up"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.querySelector('details').open") is True
    page.keyboard.press("End")
    assert focused("nextElementSibling") is None
    assert page.locator("[role=treeitem][tabindex='0']").count() == 1, "one stop for the tab key"


def test_every_link_and_button_has_a_name(page: Page, addresses: list[str]) -> None:
    for address in addresses:
        page.goto(address)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, input, select, svg[role=img], section')]
              .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
                || e.querySelector('svg[role=img][aria-label]') || e.type === 'hidden' || e.labels?.length))
              .map(e => e.outerHTML)"""
        )
        assert nameless == [], address


def test_words_stand_out_from_what_is_behind_them(page: Page, addresses: list[str]) -> None:
    """WCAG 2.2 AA: 4.5 : 1, in both themes, for every text as the browser computed it."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        for address in addresses:
            page.goto(address)
            weak = page.evaluate(CONTRAST)
            assert weak == [], (theme, address)


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest('.unseen, noscript, title')) continue;
    const style = getComputedStyle(element);
    const ink = luminance(rgba(element.closest('svg') ? style.fill : style.color));
    const ground = luminance(behind(element));
    const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 120)}`);
  }
  return [...found];
}"""
