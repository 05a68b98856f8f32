"""What a snippet costs a page that loads: read from Chromium's own trace, on this machine and at a quarter of its speed.

All snippets take turns, so that a busy moment of the machine falls on each of them alike; medians are compared.
"""

import json
import statistics
import time
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from bench.snippet.page import Origins
from bench.snippet.peers import Snippet
from tests.conftest import USER_AGENT

CATEGORIES = ["devtools.timeline", "v8", "toplevel"]
OWN = {"EvaluateScript", "FunctionCall", "v8.compile", "V8.CompileCode"}
WATCHED_MS = 1300
LAST_WORDS_S = 0.25  # what a page says when it closes belongs to it, not to the next one

Span = dict[str, Any]


class Load(NamedTuple):
    """One page load, all in milliseconds of the page's main thread."""

    start: float  # compile and evaluate the script, its init within
    own: float  # every entry into the script in the time watched, start included
    longest: float  # the most of that in one task


def load(browser: Browser, origins: Origins, snippet: Snippet, slowdown: int) -> Load:
    origins.carry(snippet.script, snippet.loader, snippet.attributes)
    context = browser.new_context(viewport={"width": 1000, "height": 700}, user_agent=USER_AGENT)
    try:
        page = context.new_page()
        if slowdown > 1:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        browser.start_tracing(page=page, categories=CATEGORIES)
        page.goto(origins.page.url, wait_until="load")
        page.wait_for_timeout(WATCHED_MS)
        return read(json.loads(browser.stop_tracing())["traceEvents"])
    finally:
        context.close()
        time.sleep(LAST_WORDS_S)


def read(trace: list[Span]) -> Load:
    """A load's cost out of its trace; nothing of ours in it means that it cost nothing."""
    own = [event for event in trace if event.get("ph") == "X" and event["name"] in OWN and is_own(event)]
    if not own:
        return Load(0, 0, 0)
    thread = own[0]["pid"], own[0]["tid"]
    outermost = without_nested([event for event in own if (event["pid"], event["tid"]) == thread])
    first = next(event for event in outermost if event["name"] == "EvaluateScript")
    compiles = [event for event in outermost if "ompile" in event["name"] and event["ts"] < first["ts"]]
    tasks = [
        event
        for event in trace
        if event.get("ph") == "X" and event["name"].endswith("RunTask") and (event["pid"], event["tid"]) == thread
    ]
    longest = max((sum(e["dur"] for e in outermost if within(e, task)) for task in tasks), default=0)
    start = first["dur"] + sum(event["dur"] for event in compiles)
    return Load(start / 1000, sum(event["dur"] for event in outermost) / 1000, longest / 1000)


def is_own(event: Span) -> bool:
    data = event.get("args", {}).get("data") or event.get("args", {})
    return "/snippet.js" in str(data.get("url", "") or data.get("fileName", ""))


def within(inner: Span, outer: Span) -> bool:
    return bool(outer["ts"] <= inner["ts"] and inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"])


def without_nested(events: list[Span]) -> list[Span]:
    """Those that are not part of another one."""
    kept: list[Span] = []
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        if not kept or not within(event, kept[-1]):
            kept.append(event)
    return kept


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(column) for column in zip(*loads, strict=True)))
