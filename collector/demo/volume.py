"""Volume: many views without a browser: `python -m collector.demo.volume URL --a-minute 600`.

Walkers ask the shop for real pages, wait as long as it really takes, fetch what the pages' scripts would fetch, and post
beacons of the snippet's own shape (`golden`) to where the page has its snippet from. What a browser would add (painting,
a slow phone, a long line) is drawn from `people`; everything that the shop does wrong reaches a beacon by being met.
Ends when its standard input does, or after `--views`.
"""

import argparse
import asyncio
import contextlib
import random
import sys
from collections.abc import Sequence

import httpx

from collector.demo.lifeline import when_parent_is_gone
from collector.demo.people import somebody
from collector.demo.walker import PAGES, Walker

_AT_ONCE = 12
_MISHAP_S = 1.0


def main(argv: Sequence[str]) -> int:
    """Send walkers until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m collector.demo.volume", description=__doc__)
    parser.add_argument("home", help="the shop, a base URL")
    parser.add_argument("--a-minute", type=float, default=60.0, help="views a minute, as far as the shop keeps up")
    parser.add_argument("--views", type=int, default=0, help="how many in all; 0 is no end")
    parser.add_argument("--page", choices=tuple(PAGES), default="", help="look at nothing but this kind of page")
    parser.add_argument("--seed", type=int, help="the same people in the same order")
    asyncio.run(_send(parser.parse_args(argv)))
    return 0


async def _send(options: argparse.Namespace) -> None:
    walking = asyncio.ensure_future(Crowd(options).send())
    loop = asyncio.get_running_loop()
    when_parent_is_gone(lambda: loop.call_soon_threadsafe(walking.cancel))
    with contextlib.suppress(asyncio.CancelledError):
        await walking


class Crowd:
    """Walkers on their way; each is a session of one to four views."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._dice = random.Random(options.seed)  # noqa: S311 - who comes next is no secret
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._left = options.views or sys.maxsize

    async def send(self) -> None:
        """All views, at the pace that was asked for."""
        async with asyncio.TaskGroup() as group:
            while self._left > 0:
                views = min(self._left, self._dice.choice((1, 2, 2, 3, 4)))
                self._left -= views
                await self._room.acquire()
                group.create_task(self._walk(views, random.Random(self._dice.random())))  # noqa: S311
                await asyncio.sleep(self._dice.expovariate(1) * views * 60 / self._options.a_minute)

    async def _walk(self, views: int, dice: random.Random) -> None:
        try:
            async with Walker(self._options.home, somebody(dice), dice, self._options.page) as walker:
                for _ in range(views):
                    await walker.view()
        except httpx.HTTPError as error:
            print(f"A walk ended early: {type(error).__name__} {error}", file=sys.stderr, flush=True)
            await asyncio.sleep(_MISHAP_S)
        finally:
            self._room.release()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
