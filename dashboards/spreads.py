"""Spreads: where the values of a metric lie: as columns by size, and as heat by time and size."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from collector.query.explore import Spot, edges_of
from collector.query.fields import is_field
from collector.query.markers import Marker
from collector.query.metrics import Metric
from collector.query.question import Question
from dashboards.figures import plain
from dashboards.numbers import count, percent
from dashboards.plots import (
    HEAD,
    HEIGHT,
    RATED,
    SHADES,
    Block,
    Mark,
    Plot,
    placed,
    rated_words,
    readings,
    time_marks,
)

ROW = 13.0
FEWEST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One step of values, for the table beside a histogram."""

    words: str
    size: int
    share: float
    rating: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Columns by size, and the same as steps."""

    plot: Plot
    steps: list[Step]


def histogram(spots: Sequence[Spot], metric: Metric) -> Histogram:
    """How often each step of values is met."""
    edges = _used(spots, metric)
    sizes: dict[float, int] = defaultdict(int)
    for spot in spots:
        sizes[spot.edge] += spot.size
    total, most = sum(sizes.values()), max(sizes.values())
    width = 100 / len(edges)
    blocks, steps = [], []
    for nr, edge in enumerate(edges):
        words, rating = _said(edges, nr, metric), _rating(edge, metric)
        height = (HEIGHT - HEAD) * sizes[edge] / most
        title = f"{words}: {count(sizes[edge])} ({percent(sizes[edge], total)})"
        block = Block(
            round(nr * width + width * 0.04, 3), round(HEIGHT - height, 1), round(width * 0.92, 3), round(height, 1),
            rating or "once", title,
        )  # fmt: skip
        blocks.append(block)
        steps.append(Step(words, sizes[edge], sizes[edge] / total, rating))
    marks = [
        Mark(round(nr * width, 3), _edge(edge, metric)) for nr, edge in enumerate(edges) if nr % _every(edges) == 0
    ]
    sentence = f"{metric.title}: {count(total)} values; most are {max(steps, key=lambda s: s.size).words}."
    levels = [Mark(round(HEIGHT - (HEIGHT - HEAD) * part, 1), count(most * part)) for part in (0.5, 1.0)]
    return Histogram(Plot(sentence, blocks, x_marks=marks, y_marks=levels), steps)


@dataclass(frozen=True, slots=True)
class Heat:
    """A grid by time and size; `bounds` are the lower ends of its rows from the bottom up, where one may narrow by them."""

    plot: Plot
    bounds: list[float]


def heat(spots: Sequence[Spot], metric: Metric, question: Question, slices: int, markers: Sequence[Marker]) -> Heat:
    """The more values a cell has, the deeper its shade. Each opens its own part of time."""
    edges = _used(spots, metric)
    most = max(spot.size for spot in spots)
    height = HEAD + len(edges) * ROW
    width = 100 / slices
    blocks = []
    for spot in spots:
        nr = edges.index(spot.edge)
        shade = 1 + round((SHADES - 1) * math.log1p(spot.size) / math.log1p(most)) if most > 1 else SHADES
        begins = question.since + question.span * (spot.slice / slices)
        ends = question.since + question.span * ((spot.slice + 1) / slices)
        title = f"{count(spot.size)} of {_said(edges, nr, metric)} at {begins:%H:%M}"
        link = question.between(begins, ends).asking(view="rows").here("/explore")
        kind = f"h{shade} {_rating(spot.edge, metric) or 'good'}"
        y = round(height - (nr + 1) * ROW, 1)
        blocks.append(Block(round(spot.slice * width, 3), y, round(width, 3), ROW - 1, kind, title, link))
    marks = [
        Mark(round(height - nr * ROW, 1), _edge(edge, metric)) for nr, edge in enumerate(edges) if nr and nr % 3 == 0
    ]
    sentence = f"{metric.title} by time and size, {count(sum(s.size for s in spots))} values in {len(spots)} cells."
    limit = metric.limit
    known = [("good", limit.good), ("poor", limit.poor)] if limit else []
    limits = [(word, round(height - edges.index(value) * ROW, 1)) for word, value in known if value in edges]
    plot = Plot(
        sentence, blocks, [], [], limits, time_marks(question), marks, placed(markers, question), height, question,
        slices, RATED if limit else [("once", metric.noun)], readings(question, slices, _words(spots, metric)),
    )  # fmt: skip
    bounds = [edge if math.isfinite(edge) else 0.0 for edge in edges] if is_field(metric.name) else []
    return Heat(plot, bounds)


def _words(spots: Sequence[Spot], metric: Metric) -> dict[int, list[str]]:
    """By slice, how many values it holds, by their rating where the metric has limits."""
    if metric.limit:
        return rated_words([(spot.slice, _rating(spot.edge, metric) or "good", spot.size) for spot in spots])
    sizes: dict[int, int] = defaultdict(int)
    for spot in spots:
        sizes[spot.slice] += spot.size
    return {nr: [count(size)] for nr, size in sizes.items()}


def _used(spots: Sequence[Spot], metric: Metric) -> list[float]:
    """The steps from the least value met to the greatest, and a few more where those are not many."""
    edges = edges_of(metric)
    met = [edges.index(spot.edge) for spot in spots]
    first, last = min(met), max(met)
    return edges[first : max(last + 1, min(len(edges), first + FEWEST_STEPS))]


def _every(edges: Sequence[float]) -> int:
    return max(1, math.ceil(len(edges) / 10))


def _edge(edge: float, metric: Metric) -> str:
    return "" if edge == -math.inf else plain(edge, metric)


def _said(edges: Sequence[float], nr: int, metric: Metric) -> str:
    if edges[nr] == -math.inf:
        return "less than 0"
    known = edges_of(metric)
    place = known.index(edges[nr])
    if place + 1 == len(known):
        return f"{plain(edges[nr], metric)} and more"
    return f"{plain(edges[nr], metric)} – {plain(known[place + 1], metric)}"


def _rating(edge: float, metric: Metric) -> str:
    return metric.limit.rate(edge * 1.0001) if metric.limit and math.isfinite(edge) else ""
