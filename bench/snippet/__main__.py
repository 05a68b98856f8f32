"""Measure Farside's snippet beside its peers and write docs/snippet-compared.md.

Usage: python -m bench.snippet [--only NAME …] [--runs 5] [--sessions 2] [--minutes 10] [--dump FOLDER] [--no-table]
Prints JSON. Takes ten minutes at most, by fewer runs on a slow machine; on one that does something else meanwhile,
compare ratios and nothing else. A closer look at a few: --only Farside Sentry --runs 15 --no-table.
"""

import argparse
import json
import os
import shlex
import sys
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from bench.snippet import loads, sessions, table
from bench.snippet.page import Origins
from bench.snippet.peers import FARSIDE, PEERS, PINNED, Snippet, snippets
from tests.conftest import CHROME_ARGUMENTS, find_browser
from tests.npm import installed

DOC = Path(__file__).parents[2] / "docs" / "snippet-compared.md"
SLOWDOWN = 4
# Several peers send nothing for a browser that says it is driven.
ARGUMENTS = [*CHROME_ARGUMENTS, "--disable-blink-features=AutomationControlled"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.snippet")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=", ".join([*FARSIDE, *PEERS]))
    parser.add_argument("--runs", type=int, default=5, help="page loads each, at full and at a quarter of the speed")
    parser.add_argument("--sessions", type=int, default=2, help="visits each that end by closing; half as many crash")
    parser.add_argument("--minutes", type=float, default=10, help="fewer runs when these do not suffice")
    parser.add_argument("--dump", type=Path, help="a folder for what each snippet sent in its last visit")
    parser.add_argument("--no-table", action="store_true", help=f"leave {DOC.name} as it is")
    arguments = parser.parse_args()
    folder = installed(PINNED)
    origins = Origins(folder / "node_modules" / "posthog-js" / "dist")
    started = datetime.now(UTC)
    with sync_playwright() as playwright:
        measured = Measured(playwright, origins, snippets(folder, arguments.only, origins.sink.url), arguments)
        measured.all(arguments.runs, arguments.sessions)
    origins.stop()
    done = (len(measured.slow["none"]), len(measured.visits["none", "close"]))
    run = table.Run(started, measured.version, *done, os.getloadavg()[0], shown(arguments))
    rows = [table.row(snippet, measured) for snippet in measured.snippets]
    print(json.dumps([row.facts for row in rows], indent=1))
    if not arguments.no_table:
        DOC.write_text(table.page(rows, run))


def shown(arguments: Namespace) -> str:
    """The options that matter to the figures."""
    only = ["--only", *arguments.only] if arguments.only else []
    return shlex.join([*only, f"--runs={arguments.runs}", f"--sessions={arguments.sessions}"])


class Measured:
    """Every load and visit of every snippet, as they are gathered."""

    def __init__(self, playwright: Playwright, origins: Origins, snippets: list[Snippet], options: Namespace) -> None:
        self.snippets = snippets
        self._dump, self._minutes, self._started = options.dump, options.minutes, time.monotonic()
        self.quick: dict[str, list[loads.Load]] = defaultdict(list)
        self.slow: dict[str, list[loads.Load]] = defaultdict(list)
        self.visits: dict[tuple[str, str], list[sessions.Session]] = defaultdict(list)
        self._playwright, self._origins = playwright, origins
        self._browser = self._launch()
        self.version = self._browser.version

    def all(self, runs: int, visits: int) -> None:
        for speed, kept, share in ((1, self.quick, 0.25), (SLOWDOWN, self.slow, 0.5)):
            for _ in self._turns(f"page loads at 1/{speed} of the speed", runs, share):
                for snippet in self.snippets:
                    kept[snippet.name].append(loads.load(self._browser, self._origins, snippet, speed))
        for end, times, share in (("close", visits, 0.85), ("crash", (visits + 1) // 2, 1.0)):
            for _ in self._turns(f"visits that end by {end}", times, share):
                for snippet in self.snippets:
                    self._visit(snippet, end)
        self._browser.close()

    def _turns(self, what: str, times: int, share: float) -> Iterator[int]:
        """One turn at least, then as many as were asked for while their share of the time lasts."""
        until, took = self._started + share * self._minutes * 60, 0.0
        for turn in range(times):
            begun = time.monotonic()
            if turn and begun + took > until:
                return say(f"{what}: {turn} of {times}, for the time is up")
            say(f"{what}: {turn + 1} of {times}")
            yield turn
            took = time.monotonic() - begun

    def _visit(self, snippet: Snippet, end: str) -> None:
        """One visit; a browser that went down with its page is started anew."""
        try:
            self.visits[snippet.name, end].append(sessions.visit(self._browser, self._origins, snippet, end))
        except Error as error:
            say(f"{snippet.name}, {end}: {error.message.splitlines()[0]}")
            if not self._browser.is_connected():
                self._browser = self._launch()
        if self._dump:
            self._dump.mkdir(parents=True, exist_ok=True)
            sent = [f"{r.method} {r.url}\n{r.text}" for r in self._origins.sink.kept]
            (self._dump / f"{snippet.name}.{end}.txt").write_text("\n\n".join(sent))

    def _launch(self) -> Browser:
        return self._playwright.chromium.launch(executable_path=find_browser() or None, args=ARGUMENTS)


def say(sentence: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
