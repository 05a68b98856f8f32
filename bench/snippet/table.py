"""The measurements as a page of docs: three tables and how they came about."""

import platform
import statistics
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bench.snippet.loads import Load, median
from bench.snippet.peers import FARSIDE, Snippet
from bench.snippet.sessions import BATCHES, Session
from bench.snippet.signals import SIGNALS


class Run(NamedTuple):
    """When, where and how it was measured."""

    started: datetime
    chromium: str
    runs: int
    sessions: int
    load: float
    arguments: str


class Measured(Protocol):
    quick: dict[str, list[Load]]
    slow: dict[str, list[Load]]
    visits: dict[tuple[str, str], list[Session]]


class Row(NamedTuple):
    """One snippet: its figures by name, and its signals at either end."""

    name: str
    facts: dict[str, Any]
    close: list[Session]
    crash: list[Session]


def row(snippet: Snippet, measured: Measured) -> Row:
    """The medians of everything measured, ratios to web-vitals and differences to the page without a snippet."""
    close, crash = measured.visits[snippet.name, "close"], measured.visits[snippet.name, "crash"]
    quick, slow = median(measured.quick[snippet.name]), median(measured.slow[snippet.name])
    facts: dict[str, Any] = {"snippet": snippet.name, "version": snippet.version, "gzip": snippet.gzip}
    facts["start_ms"] = round(quick.start, 2)
    facts["start_ratio"] = ratio(quick.start, median(measured.quick["web-vitals"]).start)
    facts["own_ratio"] = ratio(quick.own, median(measured.quick["web-vitals"]).own)
    facts["slow_start_ms"], facts["slow_longest_ms"] = round(slow.start, 1), round(slow.longest, 1)
    bare = [visit for end in ("close", "crash") for visit in measured.visits["none", end]]
    for name, digits in (("js_ms", 1), ("heap_kb", 0)):
        facts[f"extra_{name}"] = round(middle([*close, *crash], name) - middle(bare, name), digits or None)
    for name in ("requests", "preflights", "config", "before_first", "bytes", "labelled", "false_labels", "traces"):
        facts[name] = middle(close, name)
    facts["signals"] = len(SIGNALS) - len(missing(close))
    facts["traced"] = round(middle(close, "traced"), 2)
    facts["leaks"] = any(visit.leaks for visit in close)
    facts["partner"] = "broken" if any(visit.partner == "broken" for visit in close) else "fine"
    facts["missing"] = sorted(missing(close))
    return Row(snippet.name, facts, close, crash)


def ratio(part: float, whole: float) -> float:
    return round(part / whole, 2)


def middle(visits: list[Session], name: str) -> float:
    return statistics.median(getattr(visit, name) for visit in visits)


def missing(visits: list[Session]) -> set[str]:
    """Signals that were not heard of in every visit."""
    return set(SIGNALS) - set.intersection(*(visit.signals for visit in visits))


def page(rows: list[Row], run: Run) -> str:
    shown = [row for row in rows if row.name != "none"]
    return "\n".join([introduction(run), costs(shown), "", wire(shown), "", signals(shown), ""])


def introduction(run: Run) -> str:
    command = f"python -m bench.snippet {run.arguments}".strip()
    measured = (
        f"Measured {run.started:%Y-%m-%d %H:%M} UTC on {machine()}, Chromium {run.chromium}, headless, by `{command}`, "
        "which also writes this page. Peers come from npm when it runs, pinned in `bench/snippet/peers`, bundled and "
        f"minified by esbuild as their users would. Medians of at least {run.runs} page loads and {run.sessions} "
        "visits each; all snippets take turns. Everything is on one machine: trust the ratios, not the milliseconds. "
        f"Its load average was {run.load:.1f} at the end; alone, the comparison makes about 2."
    )
    return "\n".join(["# Snippets compared", "", *textwrap.wrap(measured, 120), ""])


def machine() -> str:
    """Processor and cores; the kernel says more than Python knows."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(models) or "?"
    return f"{cores} cores ({models[0] if models else platform.machine()}), {platform.system()}"


def grid(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bold(name: str) -> str:
    return f"**{name}**" if name in FARSIDE else name


def costs(rows: list[Row]) -> str:
    text = (
        "## What it costs the page\n\n"
        "*Start* is compiling and running the script, its init included, as a multiple of web-vitals alone; *all* is every\n"
        "entry into the script while the page loads (timers and observers too). At a quarter of the speed: start, and the\n"
        "most of it in one task. Over a visit: script time and heap (after a collection) more than the same visit without.\n"
    )
    head = [
        "",
        "version",
        "gzip",
        "start ×",
        "all ×",
        "¼ speed: start",
        "¼ speed: longest task",
        "visit: JS",
        "visit: heap",
    ]
    return f"{text}\n" + grid(head, [cost_cells(row.name, row.facts) for row in rows])


def cost_cells(name: str, facts: dict[str, Any]) -> list[str]:
    return [
        bold(name), facts["version"], f"{facts['gzip']:,} B", f"{facts['start_ratio']:.1f}", f"{facts['own_ratio']:.1f}",
        f"{facts['slow_start_ms']:.0f} ms", f"{facts['slow_longest_ms']:.0f} ms",
        f"{facts['extra_js_ms']:+.0f} ms", f"{facts['extra_heap_kb']:+,.0f} KB",
    ]  # fmt: skip


def wire(rows: list[Row]) -> str:
    text = (
        "## What it sends\n\n"
        f"Over that visit ({BATCHES} scrolled batches, clicks, errors, a route change), closed at the end. *Feeds* are\n"
        "batches labelled with number, trigger, response and paint; *false* are labels on anything else. *Trace*: how\n"
        "many of the requests to the page's own API carried `traceparent`, and how many traces the two views became. The\n"
        "partner refuses preflights: a header added to requests to others breaks it.\n"
    )
    head = [
        "", "beacons", "preflights", "config fetches", "before the first", "bytes", "feeds", "false", "trace",
        "query values leak", "partner",
    ]  # fmt: skip
    return f"{text}\n" + grid(head, [wire_cells(row.name, row.facts) for row in rows])


def wire_cells(name: str, facts: dict[str, Any]) -> list[str]:
    counts = [f"{facts[name]:.0f}" for name in ("requests", "preflights", "config", "before_first")]
    return [
        bold(name), *counts, f"{facts['bytes']:,.0f}", f"{facts['labelled']:.0f} of {BATCHES}",
        f"{facts['false_labels']:.0f}", f"{facts['traced']:.0%}, {facts['traces']:.0f}",
        "yes" if facts["leaks"] else "no", facts["partner"],
    ]  # fmt: skip


def signals(rows: list[Row]) -> str:
    text = (
        "## What it captures\n\n"
        "Heard of when the tab was closed / when its renderer died: ● each time, ◐ sometimes, ○ never. An early error is\n"
        "thrown before the script; Farside and LUX have an inline loader, which stands before it.\n"
    )
    body = [[signal, *(f"{heard(row.close, signal)}/{heard(row.crash, signal)}" for row in rows)] for signal in SIGNALS]
    sums = ["**all, closed**", *(f"**{row.facts['signals']} of {len(SIGNALS)}**" for row in rows)]
    return f"{text}\n" + grid(["", *(bold(row.name) for row in rows)], [*body, sums])


def heard(visits: list[Session], signal: str) -> str:
    times = sum(signal in visit.signals for visit in visits)
    return "–" if not visits else "●" if times == len(visits) else "◐" if times else "○"
