"""Plots: charts over the width of a panel: columns and bands over time, levels over ordered steps, heat in a grid.

Like `charts`: geometry only, drawn by `plots.html` as inline SVG. x is in percent of the plot's width, y in a box of
HEIGHT that keeps its size, so that words are never stretched. A chart over time comes with its readings: what the table
under it holds, and what `brush.js` tells of the slice under the pointer.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.query.markers import Marker
from collector.query.question import Question
from collector.query.route import Cell
from collector.query.vitals import BUCKETS, FEWEST, LIMITS, Point
from dashboards.numbers import RATINGS, count, percent, vital

HEIGHT = 150.0
HEAD = 14.0  # room above for the words of markers
LABEL_PERCENT = 16.0  # of a chart as narrow as may have words of markers, see plots.css
LEADING = {"release", "alert"}
BAND_HEADS = [("p75", "p75"), ("", "p50"), ("", "p90"), ("", "n")]
RATED = [(f"rate-{rate}", words) for rate, words in RATINGS.items()]
SIGNS = {
    "alert": "▲ ",
    "config": "◆ ",
}  # before the words of a marker; releases and what was posted speak for themselves


@dataclass(frozen=True, slots=True)
class Mark:
    """Words at a place on an axis."""

    at: float
    label: str
    title: str = ""
    kind: str = ""
    is_left: bool = False  # whether its words stand before the place, for want of room behind it


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle with its sentence; `link` opens what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """One thing by itself at its place, with its sentence; `link` opens it, and the stylesheet knows its `kind`."""

    x: float
    y: float
    kind: str
    title: str
    link: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One slice of a chart over time in words, one for each of the plot's `heads`; `link` opens its time alone."""

    nr: int
    when: str
    words: list[str]
    link: Question


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything a chart is drawn from. Lines and bands are polygons in a box 100 wide and HEIGHT high.

    With `slices` it is over the time of `question`, and can be read and brushed slice by slice.
    """

    sentence: str
    blocks: list[Block] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)  # (class, points)
    bands: list[str] = field(default_factory=list)
    limits: list[tuple[str, float]] = field(default_factory=list)
    x_marks: list[Mark] = field(default_factory=list)
    y_marks: list[Mark] = field(default_factory=list)
    markers: list[Mark] = field(default_factory=list)
    height: float = HEIGHT
    question: Question | None = None
    slices: int = 0
    heads: list[tuple[str, str]] = field(default_factory=list)  # (class of its swatch, words)
    readings: list[Reading] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)


def readings(question: Question, slices: int, words: Mapping[int, list[str]]) -> list[Reading]:
    """The slices of a chart that something is to be said of, the earliest first."""
    found = []
    for nr in sorted(words):
        begins, ends = (question.since + question.span * (edge / slices) for edge in (nr, nr + 1))
        found.append(Reading(nr, between(begins, ends, question), words[nr], question.between(begins, ends)))
    return found


def between(begins: datetime, ends: datetime, question: Question) -> str:
    """A slice's time in words, in UTC, as long as the question's time makes necessary."""
    step, length = ends - begins, question.span
    clock = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M"
    if step >= timedelta(days=1):
        return f"{begins:%-d %b} – {ends:%-d %b}"
    day = f"{begins:%-d %b} " if length > timedelta(hours=23) else ""
    return f"{day}{begins.strftime(clock)} – {ends.strftime(clock)}"


def columns(
    values: Sequence[tuple[int, Sequence[tuple[str, float]], str]],
    slices: int,
    question: Question,
    markers: Sequence[Marker],
    sentence: str,
    *,
    heads: Mapping[str, str],
    written: Callable[[float], str] = count,
) -> Plot:
    """Stacked columns over time: for each slice its number, (class, value) from the bottom up, and its words. `heads` names
    the classes, and `written` writes a value."""
    top = ceiling(max((sum(value for _, value in parts) for _, parts, _ in values), default=1.0))
    width = 100 / slices
    blocks = []
    for nr, parts, title in values:
        y = HEIGHT
        for kind, value in parts:
            height = (HEIGHT - HEAD) * value / top
            y -= height
            if value:
                x = round(nr * width + width * 0.06, 3)
                blocks.append(Block(x, round(y, 1), round(width * 0.88, 3), round(height, 1), kind, title))
    told = {
        nr: [written(sum(value for name, value in parts if name == kind)) for kind in heads] for nr, parts, _ in values
    }
    return Plot(
        sentence, blocks, x_marks=time_marks(question), y_marks=_y_marks(top, written),
        markers=placed(markers, question), question=question, slices=slices, heads=list(heads.items()),
        readings=readings(question, slices, told),
    )  # fmt: skip


def time_marks(question: Question) -> list[Mark]:
    """Round moments along a question's time, in UTC, four to seven of them."""
    minutes = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440, 2_880, 10_080)
    length = question.until - question.since
    step = next((timedelta(minutes=m) for m in minutes if length / timedelta(minutes=m) <= 7), timedelta(days=14))
    midnight = question.since.replace(hour=0, minute=0, second=0, microsecond=0)
    first = math.ceil((question.since - midnight) / step)
    found = []
    for nr in range(first, first + 8):
        moment = midnight + step * nr
        at = _share(moment, question)
        if at <= 100:
            is_day = step >= timedelta(days=1) or (moment.hour == 0 and moment.minute == 0)
            found.append(Mark(at, moment.strftime("%-d %b" if is_day else "%H:%M")))
    return found


def placed(markers: Sequence[Marker], question: Question) -> list[Mark]:
    """Markers along a question's time; where words would meet, those of LEADING come first, and others are lines alone."""
    found: list[Mark] = []
    taken: list[float] = []
    for marker in sorted(markers, key=lambda marker: marker.kind not in LEADING):
        at = _share(marker.at, question)
        if not 0 <= at <= 100:
            continue
        is_left = at > 100 - LABEL_PERCENT  # behind it, words would be cut off at the edge
        begins = at - LABEL_PERCENT if is_left else at
        has_room = all(abs(begins - other) >= LABEL_PERCENT for other in taken)
        if has_room:
            taken.append(begins)
        label = f"{SIGNS.get(marker.kind, '')}{marker.name}" if has_room else ""
        found.append(Mark(at, label if len(label) <= 15 else f"{label[:14]}…", _said(marker), marker.kind, is_left))
    return sorted(found, key=lambda mark: mark.at)


def _said(marker: Marker) -> str:
    what = {"release": ", first seen", "alert": " began to fire", "config": " changed"}.get(marker.kind, ",")
    return f"{marker.kind} {marker.name}{what} {marker.at:%-d %b, %H:%M:%S} UTC"


def _share(moment: datetime, question: Question) -> float:
    return round(100 * (moment - question.since) / (question.until - question.since), 3)


def _y_marks(top: float, written: Callable[[float], str]) -> list[Mark]:
    return [
        Mark(round(HEIGHT - (HEIGHT - HEAD) * part, 1), written(top * part) if part else "0")
        for part in (0.0, 0.5, 1.0)
    ]


def ceiling(value: float) -> float:
    """The next round number above: 1, 2, 4, 5, 8 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 4, 5, 8, 10) if power * factor >= value)


def band(points: Sequence[Point], name: str, question: Question, markers: Sequence[Marker]) -> Plot | None:
    """One vital's p75 over time with the band from p50 to p90; None where there is nothing to draw a line through."""
    own = [point for point in points if point.name == name]
    if len(own) < 2:
        return None
    limit = LIMITS[name]
    top = ceiling(max(*(point.p90 for point in own), limit.good * 1.05))

    def y(value: float) -> float:
        return round(HEIGHT - (HEIGHT - HEAD) * min(value, top) / top, 1)

    def x(point: Point) -> float:
        return round(100 * (point.bucket + 0.5) / BUCKETS, 2)

    runs: list[list[Point]] = []
    for point in own:
        if runs and point.bucket - runs[-1][-1].bucket <= 2:  # one empty slice is bridged, more are a gap
            runs[-1].append(point)
        else:
            runs.append([point])
    lines = [("p75", " ".join(f"{x(p)},{y(p.p75)}" for p in (run if len(run) > 1 else run * 2))) for run in runs]
    bands = [
        " ".join([*(f"{x(p)},{y(p.p90)}" for p in run), *(f"{x(p)},{y(p.p50)}" for p in reversed(run))])
        for run in runs
        if len(run) > 1
    ]
    values = [point.p75 for point in own]
    sentence = (
        f"p75 {name} over time: between {vital(min(values), name)} and {vital(max(values), name)}, "
        f"{vital(values[-1], name)} at the end. The band reaches from p50 to p90."
    )
    return Plot(
        sentence, [], lines, bands, [(word, y(value)) for word, value in _limits(name) if value < top],
        time_marks(question), _y_marks(top, lambda value: vital(value, name)), placed(markers, question), HEIGHT,
        question.asking(metric=name.lower(), aggregate="p75"), BUCKETS, BAND_HEADS,
        readings(question, BUCKETS, {p.bucket: _band_words(p, name) for p in own}),
    )  # fmt: skip


def _band_words(point: Point, name: str) -> list[str]:
    few = " (too few)" if point.n < FEWEST else ""
    return [f"{vital(point.p75, name)}{few}", vital(point.p50, name), vital(point.p90, name), count(point.n)]


def _limits(name: str) -> list[tuple[str, float]]:
    return [("good", LIMITS[name].good), ("poor", LIMITS[name].poor)]


@dataclass(frozen=True, slots=True)
class Heat:
    """Where the views of a vital lie: cells by time and value, and to the right how many have each value."""

    plot: Plot
    bars: list[Block]
    views: int
    bounds: list[float]  # lower edges of the rows from the bottom up


ROW = 13.0
SHADES = 6


def heat(
    cells: Sequence[Cell], edges: Sequence[float], name: str, question: Question, markers: Sequence[Marker]
) -> Heat | None:
    """A grid of BUCKETS × steps; the more views a cell has, the deeper its shade. Each opens its slowest view."""
    if not cells:
        return None
    rows, most = len(edges) + 1, max(cell.views for cell in cells)
    height = HEAD + rows * ROW
    bounds = [0.0, *edges]
    words = [vital(edge, name) for edge in edges]

    def y(step: int) -> float:
        return round(height - (step + 1) * ROW, 1)

    def said(step: int) -> str:
        if step == len(edges):
            return f"{words[-1]} and more"
        return f"{words[step - 1]} – {words[step]}" if step else f"under {words[0]}"

    width = 100 / BUCKETS
    blocks = []
    for cell in cells:
        shade = 1 + round((SHADES - 1) * math.log1p(cell.views) / math.log1p(most)) if most > 1 else SHADES
        starts = question.since + question.span * (cell.bucket / BUCKETS)
        title = f"{count(cell.views)} view{'s' if cell.views != 1 else ''} of {said(cell.step)} at {starts:%H:%M}"
        rated = LIMITS[name].rate(bounds[cell.step] * 1.0001)
        link = question.link(f"/views/{cell.view_id}")
        blocks.append(
            Block(
                round(cell.bucket * width, 3), y(cell.step), round(width, 3), ROW - 1, f"h{shade} {rated}", title, link
            )
        )
    rates = [(cell.bucket, LIMITS[name].rate(bounds[cell.step] * 1.0001), cell.views) for cell in cells]
    totals = [sum(cell.views for cell in cells if cell.step == step) for step in range(rows)]
    bars = [
        Block(0, y(step), round(100 * n / max(totals), 2), ROW - 1, LIMITS[name].rate(bounds[step] * 1.0001),
              f"{said(step)}: {count(n)} views ({percent(n, sum(totals))})")
        for step, n in enumerate(totals)
        if n
    ]  # fmt: skip
    fullest = max(range(rows), key=lambda step: totals[step])
    sentence = (
        f"{name} of {count(sum(totals))} views by time and value; most are {said(fullest)} ({count(totals[fullest])})."
    )
    y_marks = [Mark(y(step - 1), words[step - 1]) for step in range(2, rows, 3)]
    plot = Plot(
        sentence, blocks, [], [], [(word, y(edges.index(value))) for word, value in _limits(name) if value in edges],
        time_marks(question), y_marks, placed(markers, question), height,
        question.asking(metric=name.lower()), BUCKETS, RATED, readings(question, BUCKETS, rated_words(rates)),
    )  # fmt: skip
    return Heat(plot, bars, sum(totals), bounds)


def rated_words(cells: Sequence[tuple[int, str, int]]) -> dict[int, list[str]]:
    """By slice, how many are good, need improvement and are poor, and what share that is; from (slice, rating, how many)."""
    found: dict[int, dict[str, int]] = {}
    for nr, rate, size in cells:
        own = found.setdefault(nr, dict.fromkeys(RATINGS, 0))
        own[rate] += size
    return {
        nr: [f"{count(n)} ({percent(n, sum(own.values()))})" if n else "0" for n in own.values()]
        for nr, own in found.items()
    }
