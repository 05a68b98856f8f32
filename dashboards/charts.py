"""Charts: geometry, computed here and drawn by templates as inline SVG.

Positions are percentages or lie in a small box that the stylesheet stretches; no style attribute is needed, so the
strictest Content-Security-Policy holds. Every chart comes with the sentence that says the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collector.query.vitals import BUCKETS, FEWEST, LIMITS, Point, Vital
from collector.traces.waterfall import Row, Waterfall
from dashboards.numbers import MARKS, NARROW, RATINGS, ms, percent, vital

WIDTH, HEIGHT = 240.0, 44.0
LEAST_BAR = 0.25
FOLD_BARS = 60
LABEL = 15.0  # what a mark's words take of a ruler's width on a phone


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar, in percent of its width."""

    name: str
    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Spark:
    """A p75 over time in a box of WIDTH × HEIGHT, with the band from p50 to p90 and the limits that fall into it."""

    lines: list[str]
    bands: list[str]
    dots: list[tuple[float, float]]
    limits: list[tuple[str, float]]
    sentence: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on a ruler: where, its words, and in which lane they do not meet their neighbours'."""

    x: float
    label: str
    kind: str = ""
    lane: int = 0
    title: str = ""


def shares(of: Vital) -> list[Segment]:
    """Good, mixed and poor as parts of one bar."""
    return _segments(
        [
            (name, float(getattr(of, name)), f"{MARKS[name]} {RATINGS[name]} {percent(getattr(of, name), of.views)}")
            for name in ("good", "mixed", "poor")
        ]
    )


def own_times(picture: Waterfall) -> list[Segment]:
    """Each service's own time as parts of one bar."""
    total = sum(length for _, length in picture.shares)
    return _segments(
        [(name, length, f"{name} {percent(length, total)}, {ms(length)}") for name, length in picture.shares]
    )


def parts(phases: Sequence[tuple[str, float]]) -> list[Segment]:
    """Phases one after another as parts of one bar."""
    return _segments([(name, length, f"{name} {ms(length)}") for name, length in phases])


def _segments(values: Sequence[tuple[str, float, str]]) -> list[Segment]:
    total = sum(value for _, value, _ in values) or 1.0
    found, x = [], 0.0
    for name, value, label in values:
        if value > 0:
            found.append(Segment(name, round(x, 3), round(100 * value / total, 3), label))
            x += 100 * value / total
    return found


def spark(name: str, points: Sequence[Point]) -> Spark | None:
    """One vital over time; None when there is nothing to draw a line through."""
    own = [point for point in points if point.name == name]
    if len(own) < 2:
        return None
    limit = LIMITS[name]
    top = max(*(point.p90 for point in own), limit.good * 1.1)

    def y(value: float) -> float:
        return round(HEIGHT - 2 - (HEIGHT - 4) * min(value, top) / top, 1)

    def x(point: Point) -> float:
        return round(WIDTH * (point.bucket + 0.5) / BUCKETS, 1)

    runs: list[list[Point]] = []
    for point in own:
        if runs and point.bucket - runs[-1][-1].bucket <= 2:  # one empty slice is bridged, more are a gap
            runs[-1].append(point)
        else:
            runs.append([point])
    values = [point.p75 for point in own]
    few = sum(1 for point in own if point.n < FEWEST)
    return Spark(
        lines=[" ".join(f"{x(p)},{y(p.p75)}" for p in run) for run in runs if len(run) > 1],
        bands=[
            " ".join([*(f"{x(p)},{y(p.p90)}" for p in run), *(f"{x(p)},{y(p.p50)}" for p in reversed(run))])
            for run in runs
            if len(run) > 1
        ],
        dots=[(x(run[0]), y(run[0].p75)) for run in runs if len(run) == 1],
        limits=[(word, y(value)) for word, value in (("good", limit.good), ("poor", limit.poor)) if value < top],
        sentence=(
            f"p75 {name} over time: between {vital(min(values), name)} and {vital(max(values), name)}, "
            f"{vital(values[-1], name)} at the end. The band reaches from p50 to p90."
            + (f" {few} of {len(own)} slices have fewer than {FEWEST} views." if few else "")
        ),
    )


def ticks(picture: Waterfall) -> list[Tick]:
    """Round moments along a waterfall, at most seven."""
    step = _round_step(picture.length_ms / 6)
    first = math.ceil(picture.start_ms / step)
    last = math.floor((picture.start_ms + picture.length_ms) / step)
    return [Tick(_at(n * step, picture), _round(round(n * step, 6))) for n in range(first, last + 1)]


def marks(picture: Waterfall) -> list[Tick]:
    """Vitals and errors along a waterfall, in lanes so that their words do not meet."""
    ends: list[float] = []
    found = []
    for mark in picture.marks:
        if not 0 <= mark.at_ms - picture.start_ms <= picture.length_ms:
            continue
        x = _at(mark.at_ms, picture)
        lane = next((nr for nr, end in enumerate(ends) if end <= x), len(ends))
        ends[lane : lane + 1] = [x + LABEL]
        rating = LIMITS[mark.name].rate(mark.value) if mark.value is not None else "poor"
        said = vital(mark.value, mark.name) if mark.value is not None else f"at {ms(mark.at_ms)}"
        found.append(Tick(x, f"{MARKS[rating]} {mark.name}", rating, min(lane, 3), f"{mark.name} {said}"))
    return found


def bars(row: Row, picture: Waterfall) -> list[Segment]:
    """A row's bar, or one for each member of a fold, as far as they can be told apart."""
    nodes = row.members[:: max(1, math.ceil(len(row.members) / FOLD_BARS))] or (row.node,)
    found = []
    for node in nodes:
        start = min(_at(node.start_ms, picture), 100 - LEAST_BAR)
        width = max(LEAST_BAR, _at(node.end_ms, picture) - start)
        found.append(Segment("", round(start, 3), round(width, 3), ""))
    return found


def steps(picture: Waterfall) -> list[Segment]:
    """The navigation's phases along a waterfall."""
    found = []
    for step in picture.phases:
        x = _at(step.start_ms, picture)
        width = round(_at(step.end_ms, picture) - x, 3)
        label = f"{step.name.replace('_', ' ')} {ms(step.end_ms - step.start_ms)}"
        found.append(Segment("network" if step.is_network else "dom", x, width, label))
    return found


def _at(moment_ms: float, picture: Waterfall) -> float:
    return round(max(0.0, min(100.0, 100 * (moment_ms - picture.start_ms) / picture.length_ms)), 3)


def _round(moment_ms: float) -> str:
    """A round moment without the noughts that `ms` ends on."""
    if not moment_ms:
        return "0"
    return f"{moment_ms / 1000:g}{NARROW}s" if moment_ms >= 1000 else f"{moment_ms:g}{NARROW}ms"


def _round_step(least: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(max(least, 1e-3)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
