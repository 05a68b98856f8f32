"""Search: traces by what is in them, each a dot of when and how long, and one click away."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import markers
from collector.query.joins import REASONS, Joined, Share, joined
from collector.query.markers import Marker
from collector.query.question import Question
from collector.query.search import LISTED, Finds, Found, Wanted, operations, traces_found
from collector.query.services import repeats
from collector.query.vitals import BUCKETS
from dashboards import plots
from dashboards.numbers import clock, count, ms, percent
from dashboards.plots import Plot
from dashboards.site import Page, Site

HEIGHT = 220.0
STEPS_MS = (0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)


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
            "markers": partial(markers.markers, site.store, q),
        },
    )
    finds: Finds = panels["traces"].value or Finds([], 0, 0, [])
    shares: Joined | None = panels["joined"].value
    marks: list[Marker] = panels["markers"].value or []
    context: dict[str, Any] = {
        "wanted": wanted, "kept": {name: value for name, value in asdict(wanted).items() if value}, "finds": finds,
        "scatter": scatter(finds.drawn, q, marks), "LISTED": LISTED,
        "services": panels["operations"].value or {}, "repeats": panels["repeats"].value or [],
        "shares": shares, "reasons": REASONS, "course": course(shares, q, marks) if shares else None,
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


def scatter(found: list[Found], question: Question, changes: Sequence[Marker]) -> Plot | None:
    """Traces by when they began and, on a logarithmic scale, how long they took, each a dot that opens it."""
    if not found:
        return None
    # A trace without a length (a clock that did not tick) has no place on this scale; it is drawn at its lower edge.
    shortest = min((trace.duration_ms for trace in found if trace.duration_ms > 0), default=0.01)
    lengths = [max(trace.duration_ms, shortest) for trace in found]
    low, high = math.log10(min(lengths)) - 0.05, math.log10(max(lengths)) + 0.05
    if high - low < 0.5:
        low, high = (low + high) / 2 - 0.25, (low + high) / 2 + 0.25

    def y(length_ms: float) -> float:
        part = (math.log10(length_ms) - low) / (high - low)
        return round(HEIGHT - 4 - (HEIGHT - plots.HEAD - 8) * part, 1)

    def x(trace: Found) -> float:
        return min(1.0, max(0.0, (trace.started_at - question.since) / question.span))

    dots, slots = [], defaultdict(list)
    for trace, length in zip(found, lengths, strict=True):
        slots[min(BUCKETS - 1, int(x(trace) * BUCKETS))].append(trace)
        link = question.link(f"/traces/{trace.trace_id}", span=trace.span_id) + f"#span-{trace.span_id}"
        said = f"{trace.service} {trace.name}, {ms(trace.duration_ms)}, {clock(trace.started_at)}"
        kind = "failed" if trace.failed else "fine"
        dots.append(
            plots.Dot(round(100 * x(trace), 2), y(length), kind, f"{said}{', failed' if trace.failed else ''}", link)
        )
    steps = [step * factor for step in STEPS_MS for factor in ((1, 2, 5) if high - low < 1.2 else (1,))]
    lines = [plots.Mark(y(step), ms(step)) for step in steps if low < math.log10(step) < high]
    words = {
        nr: [count(len(own)), count(sum(t.failed for t in own)), ms(max(t.duration_ms for t in own))]
        for nr, own in slots.items()
    }
    took = [trace.duration_ms for trace in found]
    sentence = (
        f"{count(len(found))} traces by when they began and how long they took, from {ms(min(took))} to"
        f" {ms(max(took))}; {count(sum(t.failed for t in found))} failed. The table below lists them."
    )
    return Plot(
        sentence, dots=dots, x_marks=plots.time_marks(question), y_marks=lines, markers=plots.placed(changes, question),
        height=HEIGHT, question=question, slices=BUCKETS,
        heads=[("", "traces drawn"), ("", "of them failed"), ("", "slowest")],
        readings=plots.readings(question, BUCKETS, words),
    )  # fmt: skip


def course(shares: Joined, question: Question, changes: Sequence[Marker]) -> Plot | None:
    """What part of all requests was joined over time, and above it the part that should have been."""
    values = []
    for slot, share in sorted(shares.series.items()):
        if share.requests:
            got, due = (round(100 * n / share.requests, 3) for n in (share.joined, share.due))
            title = f"{percent(share.joined, share.requests)} of {count(share.requests)} joined"
            values.append((slot, [("got", got), ("due", round(due - got, 3))], title))
    if not values:
        return None
    first, last = (values[at][1][0][1] for at in (0, -1))
    return plots.columns(
        values, BUCKETS, question, changes,
        f"Joined share of all requests over time: {first:.0f} % at first, {last:.0f} % at the end.",
        heads={"got": "joined", "due": "missing"}, written=lambda part: percent(part / 100),
    )  # fmt: skip


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
