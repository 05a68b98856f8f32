"""Course: a rule's number over time as it saw it, with its interval, its limit, and when it fired: for `/alerts` and for a
rule that is tried out."""

from collections.abc import Sequence
from datetime import datetime

from collector.alerts.flips import asked
from collector.alerts.measuring import Course, Group
from collector.alerts.rules import Rule
from collector.alerts.sense import metric
from collector.alerts.state import Measurement
from collector.notify.message import amount
from collector.query.markers import Marker
from collector.query.question import Question
from dashboards.plots import HEAD, HEIGHT, Mark, Plot, ceiling, placed, readings, time_marks

SLICES = 48
POINTS = 200
HEADS = [("value", "value"), ("", "95 %"), ("", "limit"), ("", "n"), ("", "users")]


class Recorded(Course):
    """A course that remembers what it said: its windows only move on, so a second look would see other ones."""

    def __init__(self, of: Course) -> None:
        super().__init__(of.rule, of.begin, of.tracks)
        self._told: dict[datetime, dict[Group, Measurement]] = {}

    def at(self, moment: datetime) -> dict[Group, Measurement]:
        """What is to be said at a moment, the same however often it is asked."""
        if moment not in self._told:
            self._told[moment] = super().at(moment)
        return self._told[moment]


def chart(rule: Rule, group: Group, seen: Course, steps: Sequence[datetime], markers: Sequence[Marker]) -> Plot | None:
    """The course of one group at these moments; None where too little was measured to draw a line through."""
    looked = [seen.at(at).get(group) for at in steps]
    points = [m for m in looked if m is not None and m.value is not None]
    points = points[:: max(1, len(points) // POINTS)]
    if len(points) < 2:
        return None
    return drawn(rule, points, asked(rule, group, points[0].at, points[-1].at), markers)


def drawn(rule: Rule, points: Sequence[Measurement], question: Question, markers: Sequence[Marker]) -> Plot:
    """Measurements as a line in the band of their intervals."""
    limits = [m.limit for m in points if m.limit is not None]
    top = ceiling(max([m.high or m.value or 0.0 for m in points] + limits) * 1.02)
    if metric(rule).unit == "share":
        top = min(top, 1.0)

    def x(m: Measurement) -> float:
        return round(100 * (m.at - question.since) / question.span, 2)

    def y(value: float | None) -> float:
        return round(HEIGHT - (HEIGHT - HEAD) * min(max(value or 0.0, 0.0), top) / top, 1)

    value = " ".join(f"{x(m)},{y(m.value)}" for m in points)
    limit = " ".join(f"{x(m)},{y(m.limit)}" for m in points if m.limit is not None)
    high = [f"{x(m)},{y(m.high if m.high is not None else m.value)}" for m in points]
    low = [f"{x(m)},{y(m.low if m.low is not None else m.value)}" for m in reversed(points)]
    levels = [Mark(y(top * part), amount(top * part, rule) if part else "0") for part in (0.0, 0.5, 1.0)]
    told = {min(SLICES - 1, int(x(m) * SLICES / 100)): _words(m, rule) for m in points}
    return Plot(
        _sentence(rule, points, limits), [], [("threshold", limit), ("value", value)] if limits else [("value", value)],
        [" ".join([*high, *low])], [], time_marks(question), levels, placed(markers, question), HEIGHT, question, SLICES,
        HEADS, readings(question, SLICES, told),
    )  # fmt: skip


def _words(m: Measurement, rule: Rule) -> list[str]:
    bounds = f"{amount(m.low, rule)} – {amount(m.high, rule)}" if m.low is not None or m.high is not None else "–"
    return [amount(m.value, rule), bounds, amount(m.limit, rule), f"{m.n:,}", f"{m.users:,}"]


def _sentence(rule: Rule, points: Sequence[Measurement], limits: Sequence[float]) -> str:
    values = [m.value for m in points if m.value is not None]
    return (
        f"{rule.name} from {points[0].at:%H:%M} to {points[-1].at:%H:%M} UTC: between {amount(min(values), rule)} and"
        f" {amount(max(values), rule)}, {amount(values[-1], rule)} at the end (n = {points[-1].n:,})"
        + (f"; the limit is {amount(limits[-1], rule)}" if limits else "")
    )
