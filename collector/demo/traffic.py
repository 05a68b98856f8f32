"""Traffic: visitors in a headless browser, so many at a time: `python -m collector.demo.traffic URL --at-once 3`.

Each visit has a browser of its own, as a stranger has, and ends by closing the tab. A visit that goes wrong is one log
line and no more. Ends when its standard input does, or after `--visits`.
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

from collector.demo.browser import NoBrowserError, find, launch
from collector.demo.lifeline import when_parent_is_gone
from collector.demo.people import Person, Screen, somebody
from collector.demo.run import NO_BROWSER
from collector.demo.slowline import slow_line
from collector.demo.visitor import Visitor

# What a page sends while its tab closes must get out before its browser goes.
_FAREWELL_S = 1.0
_MISHAP_S = 1.0
# A headless browser says so in its name, and a collector may rightly leave robots out.
_USER_AGENT = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
# Nobody stays longer, however slow the machine: a page that hangs must not keep its visitor for ever.
_LONGEST_VISIT_S = 60


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
        find(playwright)  # now, so that a missing browser is said once and not at every visit
        visiting = asyncio.ensure_future(Street(playwright, options).send())
        loop = asyncio.get_running_loop()
        when_parent_is_gone(lambda: loop.call_soon_threadsafe(visiting.cancel))
        with contextlib.suppress(asyncio.CancelledError):
            await visiting


class Street:
    """The visitors on their way, each with a browser of their own."""

    def __init__(self, playwright: Playwright, options: argparse.Namespace) -> None:
        self._playwright = playwright
        self._options = options
        self._dice = random.Random(options.seed)  # noqa: S311 - who comes next is no secret
        self._numbers: Iterator[int] = iter(range(options.visits)) if options.visits else count()

    async def send(self) -> None:
        """All visits, `at_once` at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.at_once):
                group.create_task(self._keep_visiting())

    async def _keep_visiting(self) -> None:
        for _ in self._numbers:
            person = somebody(self._dice)
            try:
                async with asyncio.timeout(_LONGEST_VISIT_S), self._tab(person) as page:
                    await Visitor(page, self._options.home, person, self._dice, self._options.pace).visit()
            except (BrowserError, TimeoutError) as error:
                why = (str(error) or f"longer than {_LONGEST_VISIT_S} s").splitlines()[0]
                print(f"A visit ended early: {why}", file=sys.stderr, flush=True)
                await asyncio.sleep(_MISHAP_S)

    @contextlib.asynccontextmanager
    async def _tab(self, person: Person) -> AsyncIterator[Page]:
        async with contextlib.AsyncExitStack() as belongings:
            proxy = await belongings.enter_async_context(slow_line(person.line)) if person.line.kilobits else ""
            looks = self._looks(person.screen)
            browser = await launch(self._playwright, looks.pop("user_agent"), proxy)
            belongings.push_async_callback(_close, browser)
            page = await browser.new_page(**looks, locale=person.locale, timezone_id=person.timezone)
            tools = await page.context.new_cdp_session(page)
            await tools.send("Emulation.setCPUThrottlingRate", {"rate": person.slowdown})
            yield page
            # With the tab's own farewell (pagehide and all), which a plain close() would skip.
            await page.close(run_before_unload=True)
            await asyncio.sleep(_FAREWELL_S)

    def _looks(self, screen: Screen) -> dict[str, Any]:
        if not screen.device:
            user_agent = _USER_AGENT.format(system=screen.system)
            return {"user_agent": user_agent, "viewport": {"width": screen.width, "height": screen.height}}
        looks = dict(self._playwright.devices[screen.device])
        del looks["default_browser_type"]
        return looks


async def _close(browser: Browser) -> None:
    with contextlib.suppress(BrowserError):
        await browser.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
