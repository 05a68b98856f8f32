"""Search: traces by what is in them, each a dot of when and how long, and one click away."""

import math
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query.joins import REASONS, Joined, Share, joined
from collector.query.question import Question
from collector.query.search import FOUND, LISTED, Finds, Found, Wanted, operations, traces_found
from collector.query.services import repeats
from collector.query.vitals import BUCKETS
from dashboards.numbers import ms
from dashboards.site import Page, Site

WIDTH, HEIGHT = 1000.0, 220.0
STEPS_MS = (0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)


@dataclass(frozen=True, slots=True)
class Dot:
    """One trace in the scatter, in its box of WIDTH × HEIGHT."""

    trace: Found
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scatter:
    """Traces by when and, on a logarithmic scale, how long; with lines at round durations."""

    dots: list[Dot]
    lines: list[tuple[float, str]]


async def page(site: Site, request: Request) -> Page:
    """The page at `/traces` and its twins."""
    q = site.question(request)
    wanted = Wanted(*(request.query_params.get(part.name, "").strip() for part in fields(Wanted)))
    panels = await site.ask(
        request,
        {
            "traces": partial(traces_found, site.store, q, wanted),
            "operations": partial(operations, site.store, q),
            "joined": partial(joined, site.store, q),
            "repeats": partial(repeats, site.store, q),
        },
    )
    finds: Finds = panels["traces"].value or Finds([], 0, 0)
    shares: Joined | None = panels["joined"].value
    context: dict[str, Any] = {
        "wanted": wanted, "kept": {name: value for name, value in asdict(wanted).items() if value}, "finds": finds,
        "scatter": scatter(finds.found, q), "LISTED": LISTED, "FOUND": FOUND, "services": panels["operations"].value or {},
        "repeats": panels["repeats"].value or [],
        "shares": shares, "reasons": REASONS, "series": series(shares) if shares else [],
    }  # fmt: skip
    tables = {
        "traces": [asdict(trace) for trace in finds.found],
        "repeats": [asdict(repeat) for repeat in panels["repeats"].value or []],
        "joined_by_route": [share_row(share) for share in shares.routes] if shares else [],
        "joined_by_backend": [share_row(share) for share in shares.backends] if shares else [],
    }
    facts = {
        "wanted": asdict(wanted), "all_traces": finds.traces, "spans": finds.spans,
        "joined": share_row(shares.all) if shares else None,
    }  # fmt: skip
    return Page("traces.html", "Traces", q, "/traces", panels, tables, facts, context)


def scatter(found: list[Found], question: Question) -> Scatter:
    """Where each trace lies between the question's times and between the shortest and the longest."""
    if not found:
        return Scatter([], [])
    lengths = [max(trace.duration_ms, 0.01) for trace in found]
    low, high = math.log10(min(lengths)) - 0.05, math.log10(max(lengths)) + 0.05
    if high - low < 0.5:
        low, high = (low + high) / 2 - 0.25, (low + high) / 2 + 0.25

    def y(length_ms: float) -> float:
        return round(HEIGHT - 4 - (HEIGHT - 8) * (math.log10(length_ms) - low) / (high - low), 1)

    span = question.span.total_seconds()
    dots = [
        Dot(trace, round(WIDTH * min(1, max(0, (trace.started_at - question.since).total_seconds() / span)), 1), y(length))
        for trace, length in zip(found, lengths, strict=True)
    ]  # fmt: skip
    steps = [step * factor for step in STEPS_MS for factor in ((1, 2, 5) if high - low < 1.2 else (1,))]
    return Scatter(dots, [(y(step), ms(step)) for step in steps if low < math.log10(step) < high])


def series(shares: Joined) -> list[tuple[float, float, float, Share]]:
    """The joined share over time as bars: (x, height, height of those that were due, the share), in percent."""
    return [
        (
            100 * slot / BUCKETS,
            100 * share.joined / share.requests,
            100 * share.due / share.requests,
            share,
        )
        for slot, share in shares.series.items()
        if share.requests
    ]


def share_row(share: Share) -> dict[str, Any]:
    """One share, flat."""
    return {
        "name": share.name,
        "requests": share.requests,
        "joined": share.joined,
        "due": share.due,
        **{f"not_{reason}": share.misses.get(reason, 0) for reason in REASONS},
        "timed": share.timed,
        "request_ms": share.request_ms,
        "network_ms": share.network_ms,
    }
