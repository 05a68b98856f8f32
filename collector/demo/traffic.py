"""Traffic: visitors in a headless browser, so many at a time: `python -m collector.demo.traffic URL --at-once 3`.

Each visit has a fresh browser context, as a stranger has, and ends by closing the tab. A visit that goes wrong is one
log line and no more; a browser that dies is started again. Ends when its standard input does, or after `--visits`.
"""

import argparse
import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count
from typing import Any

from playwright.async_api import Browser, Page, Playwright, async_playwright
from playwright.async_api import Error as BrowserError

from collector.demo.browser import NoBrowserError, launch
from collector.demo.lifeline import when_parent_is_gone
from collector.demo.people import Person, somebody
from collector.demo.run import NO_BROWSER
from collector.demo.visitor import Visitor

# What a page sends while its tab closes must get out before its context, and with it its connections, is thrown away.
_FAREWELL_S = 0.5
_MISHAP_S = 1.0


def main(argv: Sequence[str]) -> int:
    """Send visitors until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m collector.demo.traffic", description=__doc__)
    parser.add_argument("home", help="the shop, a base URL")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--visits", type=int, default=0, help="how many in all; 0 is no end")
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="the same people in the same order")
    try:
        asyncio.run(_send(parser.parse_args(argv)))
    except NoBrowserError as reason:
        print(reason, file=sys.stderr)
        return NO_BROWSER
    return 0


async def _send(options: argparse.Namespace) -> None:
    async with async_playwright() as playwright:
        street = Street(playwright, await launch(playwright), options)
        visiting = asyncio.ensure_future(street.send())
        loop = asyncio.get_running_loop()
        when_parent_is_gone(lambda: loop.call_soon_threadsafe(visiting.cancel))
        with contextlib.suppress(asyncio.CancelledError):
            await visiting
        await street.browser.close()


class Street:
    """The visitors on their way; one browser carries them all."""

    def __init__(self, playwright: Playwright, browser: Browser, options: argparse.Namespace) -> None:
        self.browser = browser
        self._playwright = playwright
        self._options = options
        self._dice = random.Random(options.seed)  # noqa: S311 - who comes next is no secret
        self._numbers: Iterator[int] = iter(range(options.visits)) if options.visits else count()
        self._reviving = asyncio.Lock()

    async def send(self) -> None:
        """All visits, `at_once` at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.at_once):
                group.create_task(self._keep_visiting())

    async def _keep_visiting(self) -> None:
        for _ in self._numbers:
            person = somebody(self._dice)
            try:
                async with self._tab(person) as page:
                    await Visitor(page, self._options.home, person, self._dice, self._options.pace).visit()
            except BrowserError as error:
                print(f"A visit ended early: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                await asyncio.sleep(_MISHAP_S)
                await self._revive()

    @contextlib.asynccontextmanager
    async def _tab(self, person: Person) -> AsyncIterator[Page]:
        context = await self.browser.new_context(**self._looks(person))
        try:
            page = await context.new_page()
            await _weigh_down(page, person)
            yield page
            # With the tab's own farewell (pagehide and all), which a plain close() would skip.
            await page.close(run_before_unload=True)
            await asyncio.sleep(_FAREWELL_S)
        finally:
            with contextlib.suppress(BrowserError):
                await context.close()

    def _looks(self, person: Person) -> dict[str, Any]:
        screen = person.screen
        looks: dict[str, Any] = dict(self._playwright.devices[screen.device]) if screen.device else {}
        looks.pop("default_browser_type", None)
        looks |= {"locale": person.locale, "timezone_id": person.timezone}
        if not screen.device:
            looks["viewport"] = {"width": screen.width, "height": screen.height}
        return looks

    async def _revive(self) -> None:
        async with self._reviving:
            if not self.browser.is_connected():
                self.browser = await launch(self._playwright)


async def _weigh_down(page: Page, person: Person) -> None:
    """Give the page the person's processor and line, by way of the DevTools protocol."""
    tools = await page.context.new_cdp_session(page)
    if person.slowdown > 1:
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": person.slowdown})
    if person.line.kilobits:
        bytes_per_s = person.line.kilobits * 1000 / 8
        limits = {"offline": False, "latency": person.line.round_trip_ms, "downloadThroughput": bytes_per_s}
        await tools.send("Network.emulateNetworkConditions", limits | {"uploadThroughput": bytes_per_s / 4})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
