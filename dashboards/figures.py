"""Figures: how any metric's value is written, and its lines over time."""

from collections.abc import Sequence

from collector.query.markers import Marker
from collector.query.measure import Figure, Group, Measurement
from collector.query.metrics import Metric
from collector.query.question import Question
from dashboards.numbers import NARROW, count, ms, percent, ratio, size
from dashboards.plots import HEAD, HEIGHT, Mark, Plot, placed, readings, time_marks


def told(value: float | None, metric: Metric, aggregate: str) -> str:
    """A value with its unit: 2.31 s, 12 %, 7.6 a view, 1,204 a minute."""
    if value is None:
        return "–"
    if aggregate in {"share_poor", "share_good"} or (metric.unit == "share" and aggregate != "count"):
        return exact_percent(value)
    if aggregate == "count":
        return count(value)
    if metric.is_count:
        return f"{ratio(value)} a minute"
    return plain(value, metric)


def plain(value: float, metric: Metric) -> str:
    """One value of a metric, before any aggregate."""
    if metric.unit == "ms":
        return f"{value:.0f}{NARROW}ms" if 9.95 <= value < 999.5 else ms(value)
    if metric.unit == "bytes":
        return size(value)
    if metric.name == "cls":
        return f"{value:.3f}"
    if metric.unit == "px":
        return f"{count(value)}{NARROW}px"
    return count(value) if float(value).is_integer() else ratio(value) if abs(value) >= 1 else f"{value:.3g}"


def exact_percent(share: float) -> str:
    """A share to a digit that means something: 0.42 %, 3.1 %, 27 %."""
    value = 100 * share
    if value and abs(value) < 1:
        return f"{value:.2f}{NARROW}%"
    return f"{value:.1f}{NARROW}%" if abs(value) < 10 else percent(share)


def bounds(figure: Figure, metric: Metric, aggregate: str) -> str:
    """The interval in words; empty where there is none."""
    low, high = (told(b, metric, aggregate) if b is not None else "" for b in (figure.low, figure.high))
    if not low and not high:
        return ""
    if not high:
        return f"from {low}"
    return f"up to {high}" if not low else f"{low} – {high}"


def label(key: Sequence[str]) -> str:
    """A group's name: Chrome · 2.15."""
    return " · ".join(value or "(none)" for value in key) or "all"


def lines(measured: Measurement, question: Question, markers: Sequence[Marker]) -> Plot | None:
    """The course of each group as a line; None where nothing was measured."""
    metric, aggregate, slices = measured.metric, measured.aggregate, measured.slices
    drawn = [(nr, group) for nr, group in enumerate(measured.groups) if group.points]
    if not drawn:
        return None
    limit = metric.limit if metric.limit and aggregate.startswith("p") else None
    highest = max(p.figure.value or 0.0 for _, group in drawn for p in group.points)
    top = _ceiling(max(highest, limit.good * 1.05 if limit else 0.0))

    def y(value: float) -> float:
        return round(HEIGHT - (HEIGHT - HEAD) * min(max(value, 0.0), top) / top, 1)

    found = [
        (f"line-{nr + 1}", " ".join(f"{100 * (at + 0.5) / slices:.2f},{y(value)}" for at, value in run))
        for nr, group in drawn
        for run in _runs(group, slices, is_counted=aggregate == "count" or metric.is_count)
    ]
    edges = [("good", y(limit.good)), ("poor", y(limit.poor))] if limit else []
    parts = (0.0, 1.0) if aggregate == "count" and top / 2 % 1 else (0.0, 0.5, 1.0)  # there is no half error
    levels = [
        Mark(y(top * part), told(top * part, metric, aggregate).replace(" a minute", "/min") if part else "0")
        for part in parts
    ]
    return Plot(
        _sentence(measured, drawn[0][1]), [], found, [], [edge for edge in edges if edge[1] > HEAD],
        time_marks(question), levels, placed(markers, question), HEIGHT, question, slices,
        [(f"line-{nr + 1}", label(group.key) if question.group_by else aggregate) for nr, group in drawn],
        readings(question, slices, _words(measured, [group for _, group in drawn])),
    )  # fmt: skip


def _words(measured: Measurement, drawn: Sequence[Group]) -> dict[int, list[str]]:
    """By slice, what each line has there and what that rests on."""
    found: dict[int, list[str]] = {}
    for place, group in enumerate(drawn):
        for point in group.points:
            own = found.setdefault(point.slice, ["–"] * len(drawn))
            few = "" if point.figure.is_enough else "too few, "
            value = told(point.figure.value, measured.metric, measured.aggregate)
            own[place] = f"{value} ({few}n = {count(point.figure.n)})"
    return found


def _runs(group: Group, slices: int, *, is_counted: bool) -> list[list[tuple[int, float]]]:
    """A line's pieces: one empty slice is bridged, more are a gap; what is counted is nought where nothing came."""
    known = {point.slice: point.figure.value for point in group.points if point.figure.value is not None}
    if is_counted:
        return [[(nr, known.get(nr, 0.0)) for nr in range(slices)]]
    runs: list[list[tuple[int, float]]] = []
    for nr, value in sorted(known.items()):
        if runs and nr - runs[-1][-1][0] <= 2:
            runs[-1].append((nr, value))
        else:
            runs.append([(nr, value)])
    return [run if len(run) > 1 else [(run[0][0], run[0][1]), (run[0][0] + 1, run[0][1])] for run in runs]


def _sentence(measured: Measurement, first: Group) -> str:
    values = [p.figure.value for p in first.points if p.figure.value is not None]
    metric, aggregate = measured.metric, measured.aggregate
    return (
        f"{aggregate} of {metric.title} over time, {len(measured.groups)} line{'s' if len(measured.groups) != 1 else ''}; "
        f"{label(first.key)}: between {told(min(values, default=None), metric, aggregate)} and "
        f"{told(max(values, default=None), metric, aggregate)}."
    )


def _ceiling(value: float) -> float:
    """The next round number above."""
    power = 1e-6
    while power * 10 <= value:
        power *= 10
    return next((power * f for f in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * f >= value), 1.0)
