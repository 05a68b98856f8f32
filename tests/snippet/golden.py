"""Golden beacons: what the snippet really sent from a small shop, one whole beacon a file, for both languages to read.

`python -m tests.snippet.golden` visits the shop and writes them anew (conftest.GOLDEN); test_golden.py holds today's
snippet to their shape.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROME_ARGUMENTS, GOLDEN, USER_AGENT, Running, find_browser
from tests.snippet.site import Site

Beacon = dict[str, Any]

SHOP = """<h1>Shop</h1><img id=hero src=/hero.png elementtiming=hero width=600 height=240>
<button id=throw>Throw</button><button id=reject>Reject</button><button id=product>Product</button><button id=grind>Grind</button>
<button id=dead>Dead</button><main id=list></main><script>
const list = document.getElementById('list'); let page = 0, busy = false;
const add = () => { for (let i = 0; i < 10; i++) { const a = document.createElement('article'); a.className = 'card';
  a.textContent = 'Product ' + list.childElementCount; list.append(a); } }; add();
addEventListener('scroll', () => { if (busy || innerHeight + scrollY < document.documentElement.scrollHeight - 300) return;
  busy = true; fetch('/api/products?ms=60&page=' + ++page).then((r) => r.json()).then(() => { add(); busy = false; }); });
const on = (id, call) => { document.getElementById(id).onclick = call; };
on('throw', () => { throw new TypeError('the basket is empty', { cause: new Error('no item 42') }); });
on('reject', () => { Promise.reject(new Error('the price did not come')); });
on('product', () => { history.pushState({}, '', '/products/42?ref=shop');
  fetch('/api/products/42').then((r) => r.json()).then(() => { document.querySelector('h1').textContent = 'Product 42'; }); });
on('grind', () => { const t = performance.now(); while (performance.now() - t < 120); });
performance.mark('list drawn');
</script>"""


def scroll(page: Page) -> None:
    page.mouse.move(300, 300)
    for _ in range(3):
        page.mouse.wheel(0, 1600)
        page.wait_for_timeout(350)


def click(*targets: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        for target in targets:
            page.click(target)
            page.wait_for_timeout(300)
        page.wait_for_timeout(900)

    return act


def has(kind: str) -> Callable[[Beacon], bool]:
    return lambda beacon: any(event["type"] == kind for event in beacon["events"])


# name: what the reader does, and which of the beacons is kept (the last of those).
SCENES: dict[str, tuple[Callable[[Page], None], Callable[[Beacon], bool]]] = {
    "view_load": (lambda _: None, has("view")),
    "feed": (scroll, has("feed")),
    "errors": (click("#throw", "#reject"), has("error")),
    "actions": (click("#grind", "#dead", "#dead", "#dead"), has("action")),
    "soft_navigation": (click("#product"), lambda b: b["navigation"] == "soft" and has("view")(b)),
}


def play(site: Site, page: Page, name: str) -> Beacon:
    """One scene on a page of its own; gives back the beacon it is about."""
    act, wanted = SCENES[name]
    tag = f'<script src="{site.url}/farside.js" data-key=demo data-release=shop@1.4.2 data-environment=test async></script>'
    style = "<style>.card{height:150px}</style><meta name=farside:route content=/shop>"
    site.pages["/shop"] = (f"<!doctype html><html lang=en><meta charset=utf-8>{style}{tag}<body>{SHOP}</html>", {
        "Server-Timing": 'traceparent;desc="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"',
        "Cache-Control": "no-store",
    })  # fmt: skip
    before = len(site.beacons)
    page.goto(f"{site.url}/shop", wait_until="load")
    page.wait_for_timeout(1400)
    act(page)
    page.close()
    found = [beacon for beacon in _wait(site, before, wanted) if wanted(beacon)]
    return found[-1]


def _wait(site: Site, before: int, wanted: Callable[[Beacon], bool]) -> list[Beacon]:
    site.wait_for("shop@1.4.2", "view")
    for _ in range(100):
        if any(wanted(beacon) for beacon in site.beacons[before:]):
            break
        site.pause(0.05)
    site.pause(0.5)
    return site.beacons[before:]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        collector = Running(Path(folder))
        site = Site(collector.url)
        browser = playwright.chromium.launch(executable_path=find_browser() or None, args=CHROME_ARGUMENTS)
        for name in SCENES:
            context = browser.new_context(viewport={"width": 1280, "height": 720}, user_agent=USER_AGENT)
            beacon = play(site, context.new_page(), name)
            (GOLDEN / f"{name}.json").write_text(json.dumps(beacon, indent=1, ensure_ascii=False) + "\n")
            context.close()
        browser.close()
        site.stop()
        collector.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
