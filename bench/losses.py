"""Losses: pages that end in every way there is, and what of them came to rest in a real collector's tables.

The endings are those of tests/snippet/test_delivery.py, which tries five of each. A page counts as lost when its view,
a vital, its click or its last error (thrown 60 ms before the end) is missing from table `events`.

Usage: python -m bench.losses [--times 60] [--only close crash …]     prints JSON; exit code 1 when anything was lost
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.conftest import CHROME_ARGUMENTS, Running, find_browser
from tests.snippet.conftest import Visit, visits_to
from tests.snippet.ends import ENDS, away_for_a_while, live_and_end, lost, lost_while_away
from tests.snippet.site import Site

KILLED = ("crash", "hide_then_crash")  # half as many: each takes the browser's processes with it
AWAY = "collector_away"
ROWS = "SELECT uniqExact(type, name, message) AS n FROM events WHERE release = {release:String}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.losses")
    parser.add_argument("--times", type=int, default=60, help="of each ending; half as many where a renderer is killed")
    parser.add_argument("--only", nargs="+", choices=[*ENDS, AWAY], default=[*ENDS, AWAY])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="farside-losses-"))
    collector = Running(folder)
    try:
        with chromium() as browser:
            results = [one(browser, collector, end, arguments.times) for end in arguments.only]
    finally:
        collector.kill()
        shutil.rmtree(folder)
    print(json.dumps(results, indent=1))
    return any(result["lost"] for result in results)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser() or None, args=CHROME_ARGUMENTS)
        yield browser
        browser.close()


def one(browser: Browser, collector: Running, end: str, times: int) -> dict[str, Any]:
    """Pages that end in one way, one after another."""
    times = max(1, times // 2) if end in KILLED else times
    missing, attempts = [], []
    for _ in range(times):
        site = Site(collector.url)
        with visits_to(site, browser) as visit:
            opened = away_for_a_while(visit) if end == AWAY else live_and_end(visit, end)
            gone = lost_while_away(opened) if end == AWAY else lost(opened, end)
            gone |= not_in_tables(collector, opened)
            missing += [sorted(gone)] if gone else []
            attempts.append(len([status for _, status, _ in site.attempts if status == 503]))
        site.stop()
    print(f"{end}: {len(missing)} of {times} lost something", file=sys.stderr, flush=True)
    result = {"end": end, "times": times, "lost": len(missing), "what": missing}
    return result | ({"attempts_at_most": max(attempts)} if end == AWAY else {})


def not_in_tables(collector: Running, opened: Visit) -> set[str]:
    """What the collector acknowledged and does not have: nothing, within a few seconds."""
    acknowledged = {(e["type"], e.get("name", ""), e.get("message", "")) for e in opened.events()}
    try:
        collector.wait_for(ROWS.replace(" AS n", f" >= {len(acknowledged)} AS n"), release=opened.name)
    except AssertionError:
        return {"rows in the tables"}
    return set()


if __name__ == "__main__":
    sys.exit(main())
