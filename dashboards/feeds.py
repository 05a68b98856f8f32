"""Feeds: what infinite scrolls ask of the backend and of the reader; at its head the talk's graph, as a matrix.

Requests for each view by route × viewport height: a page that asks again and again on one height of window stands out
as one cell, and is ranked above it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import feeds, markers, overview
from collector.query.feeds import EDGES, Batch, Height, PageType, Slice
from collector.query.overview import Feed
from collector.query.question import Question
from collector.query.vitals import BUCKETS
from dashboards import plots
from dashboards.charts import Segment
from dashboards.numbers import count, percent, ratio
from dashboards.panels import Panel
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables, percentile

FINDINGS = 5
ROWS = 24
# A cell's shade: so many times as many requests a view as the same route at other heights.
SHADES = (1.25, 1.6, 2.2, 3.2, 4.5)
CAUSES = ("scroll", "load", "input", "timer", "other")
CAUSE_WORDS = {
    "scroll": "scrolling", "load": "load", "input": "click or key", "timer": "timer", "other": "cause unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the matrix: a route, and its cell at each height that anybody has."""

    route: str
    cells: list[Height | None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The talk's graph: heights from the least to the greatest, routes with the one most out of line first."""

    edges: list[tuple[int, str]]
    lines: list[Line]
    left_out: int


async def page(site: Site, request: Request) -> Page:
    """The page at `/feeds` and its twins."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {
            "heights": partial(feeds.heights, site.store, q),
            "types": partial(feeds.page_types, site.store, q),
            "feeds": partial(overview.feeds, site.store, q),
            "batches": partial(feeds.batches, site.store, q),
            "course": partial(feeds.feed_course, site.store, q),
            "markers": partial(markers.markers, site.store, q),
        },
    )
    heights: list[Height] = panels["heights"].value or []
    presence = None
    if panels["heights"].is_answered and panels["feeds"].is_answered and not heights and not panels["feeds"].value:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = found["presence"].value
    found_feeds: list[Feed] = panels["feeds"].value or []
    batches: list[Batch] = panels["batches"].value or []
    context: dict[str, Any] = {
        "presence": presence,
        "matrix": matrix(heights),
        "findings": [height for height in heights if height.is_suspect or height.is_perhaps_suspect][:FINDINGS],
        "compared": any(height.times is not None for height in heights),
        "too_many": sum(height.too_many for height in heights if height.is_suspect),
        "requests": sum(height.requests for height in heights),
        "shade": shade, "height_words": height_words, "SHADES": SHADES,
        "causes": causes, "CAUSE_WORDS": CAUSE_WORDS,
        "course": course(q, panels),
        "by_feed": [(feed, [batch for batch in batches if batch.name == feed.name]) for feed in found_feeds],
        "ladder": ladder, "fewest": feeds.FEWEST_VIEWS,
    }  # fmt: skip
    return Page("feeds.html", "Feeds", q, "/feeds", panels, tables(panels), context=context)


def matrix(heights: Sequence[Height]) -> Matrix:
    """Heights as rows by route, in the order in which the routes' worst come."""
    edges = sorted({height.edge for height in heights})
    by_place = {(height.route, height.edge): height for height in heights}
    routes = list(dict.fromkeys(height.route for height in heights))
    lines = [Line(route, [by_place.get((route, edge)) for edge in edges]) for route in routes]
    return Matrix([(edge, height_words(edge)) for edge in edges], lines[:ROWS], max(0, len(lines) - ROWS))


def shade(height: Height) -> int:
    """0 … 5, by how far a cell is out of line; 0 also where there is nothing to compare it with."""
    if height.times is None:
        return 0
    return sum(height.times >= bound for bound in SHADES)


def height_words(edge: int) -> str:
    """A range of heights in words: up to 499, 600–699, 2,000 and more."""
    at = EDGES.index(edge)
    if at == len(EDGES) - 1:
        return f"{count(edge)}+"
    return f"{edge:,}–{EDGES[at + 1] - 1:,}" if edge else f"< {EDGES[1]}"


def causes(kind: PageType, most: float) -> list[Segment]:
    """A page type's requests a view by cause, as parts of a bar on one scale with the others."""
    found, x = [], 0.0
    for cause in CAUSES:
        rate = getattr(kind, cause) / kind.views
        if rate > 0:
            width = 100 * rate / most if most else 0.0
            found.append(Segment(cause, round(x, 3), round(width, 3), f"{CAUSE_WORDS[cause]}: {ratio(rate)} a view"))
            x += width
    return found


def course(question: Question, panels: dict[str, Panel]) -> plots.Plot | None:
    """Feed loads over time, those of bursts on top."""
    slices: list[Slice] = panels["course"].value or []
    if not slices:
        return None
    loads, bursts = sum(s.loads for s in slices), sum(s.bursts for s in slices)
    values = [
        (
            s.bucket,
            [("once", float(s.loads - s.bursts)), ("again", float(s.bursts))],
            f"{count(s.loads)} loads, {count(s.bursts)} of them in bursts",
        )
        for s in slices
    ]
    sentence = f"Feed loads over time: {count(loads)}, of which {count(bursts)} ({percent(bursts, loads)}) in bursts."
    return plots.columns(
        values, BUCKETS, question.asking(metric="feed_burst_rate", aggregate=""), panels["markers"].value or [], sentence,
        heads={"once": "asked for once", "again": "asked for again"},
    )  # fmt: skip


def ladder(batches: Sequence[Batch], value: str) -> float:
    """The largest p95 of `paint` or `stall` among batches: what the bars of a feed's table are measured by."""
    return max((getattr(batch, value)[2] for batch in batches), default=0.0) or 1.0


def tables(panels: dict[str, Panel]) -> Tables:
    """Every panel as rows."""
    return {
        "heights": [
            {
                **{name: value for name, value in asdict(height).items() if name != "edge"},
                "height_from_px": height.edge, "requests_per_view": height.rate, "is_suspect": height.is_suspect,
                "too_many": height.too_many,
            }
            for height in panels["heights"].value or []
        ],
        "page_types": [
            {**asdict(kind), "other": kind.other, "requests_per_view": kind.rate} for kind in panels["types"].value or []
        ],
        "feeds": [feed_row(feed) for feed in panels["feeds"].value or []],
        "batches": [batch_row(batch) for batch in panels["batches"].value or []],
    }  # fmt: skip


def feed_row(feed: Feed) -> Row:
    """One feed, flat."""
    return {
        **{name: value for name, value in asdict(feed).items() if name not in {"paint", "stall", "depth"}},
        **percentile("paint_ms_", feed.paint),
        **percentile("stall_ms_", feed.stall),
        **percentile("depth_px_", feed.depth),
    }


def batch_row(batch: Batch) -> Row:
    """One batch of one feed, flat."""
    levels = {
        f"{what}_ms_{level}": getattr(batch, what)[at] if getattr(batch, f"{what}_n") else None
        for what in ("paint", "stall")
        for at, level in enumerate(("p50", "p75", "p95"))
    }
    return {name: value for name, value in asdict(batch).items() if name not in {"paint", "stall"}} | levels
