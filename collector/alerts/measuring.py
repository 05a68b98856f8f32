"""Measuring: what a rule sees at each moment of its evaluation, for every group, from one reading of history.

`Course` reads the parts once and then gives the measurements moment by moment. The live evaluator asks it for one moment
and the backtest for two thousand; what either gets for the same moment is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.alerts.entries import Entries
from collector.alerts.kinds import KINDS, QUIET, Track
from collector.alerts.rules import Rule
from collector.alerts.sense import aggregate, metric
from collector.alerts.state import Measurement
from collector.query.history import first_event, history
from collector.query.question import Question
from collector.store import Store

Group = tuple[tuple[str, str], ...]


def reach(rule: Rule) -> timedelta:
    """How far back a rule looks from each of its moments."""
    own = {
        "change": rule.window.max.delta + timedelta(weeks=rule.weeks),
        "release": max(rule.window.max.delta, 2 * rule.new_for.delta),
        "new_error": rule.new_for.delta + QUIET,
    }.get(rule.kind, rule.longest)
    steps = -(-max(own, rule.silence_after) // rule.every.delta)
    return steps * rule.every.delta


def question(rule: Rule, since: datetime, until: datetime) -> Question:
    """What a rule asks over a time; the question behind its notices and its page."""
    also = ("fingerprint",) if rule.kind == "new_error" and "fingerprint" not in rule.group_by else ()
    asked = Question(rule.app, until).between(since, until)
    for name, text in rule.conditions:
        asked = asked.where_also(name, text)
    return asked.asking(metric=metric(rule).name, aggregate=aggregate(rule), group_by=(*rule.group_by, *also))


@dataclass
class Course:
    """A rule's history, ready to be measured at any of `moments`, earliest first."""

    rule: Rule
    begin: datetime
    tracks: dict[Group, Track] = field(default_factory=dict)
    _volume: tuple[datetime | None, dict[Group, int]] = field(default=(None, {}), init=False)

    def at(self, moment: datetime) -> dict[Group, Measurement]:
        """What is to be said of every group that had data within reach, and of a rule without groups in any case."""
        end, _ = self._steps(moment)
        measure = KINDS[self.rule.kind]
        found: dict[Group, Measurement] = {}
        for group in self.volume(moment):
            measurement = measure(self.rule, self.tracks[group], end, moment)
            if measurement:
                found[group] = measurement
        return found

    def volume(self, moment: datetime) -> dict[Group, int]:
        """How many entries each group had within reach of a moment; decides which groups are watched."""
        if self._volume[0] != moment:  # whoever measures a moment asks twice
            end, first = self._steps(moment)
            found = {group: track.volume(first, end) for group, track in self.tracks.items()}
            self._volume = moment, {group: n for group, n in found.items() if n or not self.rule.is_grouped}
        return self._volume[1]

    def _steps(self, moment: datetime) -> tuple[int, int]:
        end = (moment - self.begin) // self.rule.every.delta
        return end, end - reach(self.rule) // self.rule.every.delta


def course(store: Store, rule: Rule, moments: Sequence[datetime]) -> Course:
    """Read everything a rule needs at these moments."""
    begin = moments[0] - reach(rule)
    found = Course(rule, begin)
    asked = question(rule, begin, moments[-1])
    names = asked.group_by
    app_since = first_event(store, asked) if rule.kind == "new_error" else None
    for part in history(store, asked, rule.every.seconds, ("release",) if rule.kind == "release" else ()):
        group = tuple(zip(names, part.group, strict=False))
        track = found.tracks.setdefault(group, Track(rule, begin, app_since=app_since))
        track.take(part.group[len(names)] if rule.kind == "release" else "", Entries(part.columns))
    if not rule.is_grouped:
        found.tracks.setdefault((), Track(rule, begin))
    return found


def watched(rule: Rule, volume: Mapping[Group, int], held: Sequence[Group]) -> list[Group]:
    """The groups a rule looks at: the largest, as many as it may have, and those whose story is not over."""
    largest = sorted(volume, key=lambda group: (-volume[group], group))
    chosen = largest[: rule.groups]
    if not rule.is_grouped:
        return [()]
    return [*chosen, *(group for group in held if group not in set(chosen))]


def moments(rule: Rule, since: datetime, until: datetime) -> Iterator[datetime]:
    """The moments in (since, until] at which a rule is evaluated."""
    at = rule.step_before(since) + rule.every.delta
    while at <= until:
        yield at
        at += rule.every.delta
