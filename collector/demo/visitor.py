"""Visitor: one visit to the shop, from the first page to the closed tab.

Every step begins with what stands on the page and does one thing a person would do there. A step whose button is
missing does nothing: people do not wait for it either.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page

from collector.demo.people import Person

_WORDS = ("oak", "brass", "mug", "lantern", "linen", "felt")
_CLICK_MS = 4000


class Visitor:
    """A `person` in front of a `page` of the shop at `home`; `pace` stretches all their pauses."""

    def __init__(self, page: Page, home: str, person: Person, dice: random.Random, pace: float) -> None:
        self._page = page
        self._home = home
        self._person = person
        self._dice = dice
        self._pace = pace

    async def visit(self) -> None:
        """Land, do two to eight things, and go."""
        landing = self._dice.choices(["/", "/products", f"/products/{self._dice.randint(1, 480)}"], [50, 35, 15])[0]
        await self._page.goto(self._home + landing, wait_until="load")
        await self._pause()
        for _ in range(self._dice.randint(2, 8)):
            await self._do_something()
            await self._pause()

    async def _do_something(self) -> None:
        steps = self._choices(urlsplit(self._page.url).path)
        step = self._dice.choices([step for step, _ in steps], [share for _, share in steps])[0]
        await step()

    def _choices(self, path: str) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        if path == "/products":
            look = [(self._scroll_list, 50), (self._open_product, 20), (self._quick_view, 15), (self._find, 5)]
            return [*look, (self._open_shelf, 10)]
        if path == "/cart":
            return [(self._order, 35), (self._try_voucher, 20), (self._try_gift_card, 15), (self._open_list, 30)]
        if path.startswith("/products/"):
            buy = [(self._add_to_cart, 35), (self._scroll, 20), (self._open_list, 20), (self._open_cart, 10)]
            return [*buy, (self._like, 12), (self._back, 10), (self._try_voucher, 4), (self._try_gift_card, 3)]
        return [(self._open_list, 45), (self._scroll, 20), (self._open_product, 20), (self._quick_view, 15)]

    async def _open_list(self) -> None:
        await self._follow(self._page.locator('a[href="/products"]').first)

    async def _open_shelf(self) -> None:
        shelves = self._page.locator(".chips a")
        await self._follow(shelves.nth(self._dice.randrange(await shelves.count())))

    async def _open_cart(self) -> None:
        await self._follow(self._page.locator(".basket"))

    async def _open_product(self) -> None:
        await self._follow(await self._seen(".card h3 a"))

    async def _back(self) -> None:
        await self._page.go_back(wait_until="commit")

    async def _scroll(self) -> None:
        await self._wheel(self._dice.randint(2, 5))

    async def _scroll_list(self) -> None:
        await self._wheel(self._dice.randint(4, 14))

    async def _quick_view(self) -> None:
        await self._click(await self._seen("[data-quick]"))
        await self._pause()
        if not await self._page.locator(".quickview[open]").count():
            return
        if self._dice.random() < 0.4:
            await self._click(self._page.locator(".quickview [data-add]"))
            await self._pause()
        await self._click(self._page.locator(".quickview [data-close]"))

    async def _add_to_cart(self) -> None:
        await self._click(self._page.locator("[data-add]").first)

    async def _find(self) -> None:
        field = self._page.locator("[name=find]")
        if await field.count():
            await field.press_sequentially(self._dice.choice(_WORDS), delay=120 * self._pace)
            await self._pause()
            await field.fill("")

    async def _try_voucher(self) -> None:
        await self._click(self._page.locator("[data-voucher-apply]").first)

    async def _try_gift_card(self) -> None:
        await self._click(self._page.locator("[data-gift-card]").first)

    async def _like(self) -> None:
        await self._click(self._page.locator("[data-vote]:enabled"))

    async def _order(self) -> None:
        await self._click(self._page.locator("[data-order]:enabled"))

    async def _wheel(self, turns: int) -> None:
        """`turns` of the wheel or strokes of the thumb, each of many small movements, as browsers report them."""
        for _ in range(turns):
            for _ in range(8):
                await self._page.mouse.wheel(0, self._person.screen.height / 10)
                await asyncio.sleep(0.016)
            await asyncio.sleep(self._dice.uniform(0.1, 0.5) * self._pace)

    async def _seen(self, selector: str) -> Locator:
        """One of those that are in the window now: nobody clicks what they would have to look for."""
        found = self._page.locator(selector)
        inside = await found.evaluate_all(
            "all => all.flatMap((one, at) => {"
            " const box = one.getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight ? [at] : [] })"
        )
        return found.nth(self._dice.choice(inside) if inside else 0)

    async def _follow(self, link: Locator) -> None:
        if await link.count():
            async with self._page.expect_navigation(wait_until="load"):
                await self._click(link)

    async def _click(self, target: Locator) -> None:
        if not await target.count():
            return
        if self._person.screen.device:
            await target.tap(timeout=_CLICK_MS)
        else:
            await target.click(timeout=_CLICK_MS)

    async def _pause(self) -> None:
        await asyncio.sleep(self._person.pause_s * self._dice.uniform(0.4, 2.0) * self._pace)
