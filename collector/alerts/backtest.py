"""Backtest: a rule replayed over history: the same measurements, the same machine, as if it had been there.

One question to the store for all moments. What comes out are the flips the live evaluator would have written over the
same watermarks, and what they mean for somebody who sleeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.alerts.evaluate import flips_at, look
from collector.alerts.measuring import Course, Group, course, moments
from collector.alerts.rules import Expectation, Rule
from collector.alerts.state import NEW, Flip, State, key_of
from collector.store import Store

NIGHT = (22, 7)


@dataclass(frozen=True, slots=True)
class Episode:
    """One firing of one group: from its first notice to its end, if it has one."""

    group: Group
    begin: Flip
    end: datetime | None

    @property
    def name(self) -> str:
        """Its group as text."""
        return key_of(self.begin.group)


@dataclass(frozen=True)
class Backtest:
    """What a rule would have done over (since, until]."""

    rule: Rule
    since: datetime
    until: datetime
    flips: list[Flip] = field(default_factory=list)

    @property
    def episodes(self) -> list[Episode]:
        """Every firing, the first first."""
        ends: dict[tuple[Group, datetime], datetime] = {
            (flip.group, flip.fired_at): flip.at
            for flip in self.flips
            if flip.after == "ok" and flip.fired_at is not None
        }
        begun = [flip for flip in self.flips if flip.after == "firing" and flip.fired_at == flip.at]
        return [Episode(flip.group, flip, ends.get((flip.group, flip.at))) for flip in begun]

    def at_night(self, ahead_of_utc: timedelta = timedelta(0)) -> int:
        """How many of them began between ten in the evening and seven."""
        hours = [(episode.begin.at + ahead_of_utc).hour for episode in self.episodes]
        return sum(hour >= NIGHT[0] or hour < NIGHT[1] for hour in hours)

    def state_over(self, test: Expectation) -> set[str]:
        """The states in which the groups of an expectation were during its time."""
        met: set[str] = set()
        for group in {flip.group for flip in self.flips} or {()}:
            if any(dict(group).get(name) != value for name, value in test.group.items()):
                continue
            own = [flip for flip in self.flips if flip.group == group]
            before = [flip for flip in own if flip.at <= test.from_.at]
            met.add(before[-1].after if before else "learning")
            met |= {flip.after for flip in own if test.from_.at < flip.at <= test.to.at}
        return met

    def failures(self) -> list[str]:
        """The rule's own expectations that were not met, a sentence each."""
        said = []
        for test in self.rule.tests:
            met = self.state_over(test)
            is_met = not met & {"firing", "recovering"} if test.expect == "ok" else test.expect in met
            if not is_met:
                said.append(
                    f"{self.rule.id}: expected {test.expect} between {test.from_.at:%Y-%m-%d %H:%M} and"
                    f" {test.to.at:%Y-%m-%d %H:%M} UTC, and it was {', '.join(sorted(met)) or 'not measured'}"
                )
        return said


def backtest(store: Store, rule: Rule, since: datetime, until: datetime) -> Backtest:
    """Replay a rule over history that ends at a watermark. Raises what the store and the question raise."""
    steps = list(moments(rule, since, until))
    return replay(rule, course(store, rule, steps), steps, since, until) if steps else Backtest(rule, since, until)


def replay(rule: Rule, seen: Course, steps: Sequence[datetime], since: datetime, until: datetime) -> Backtest:
    """Run the machine over a history that has been read."""
    states: dict[Group, State] = {}
    flips: list[Flip] = []
    for at in steps:
        held = [group for group, state in states.items() if not state.is_over]
        for flip in flips_at(rule, look(rule, seen, at, held), at, lambda group: states.get(group, NEW)):
            states[flip.group] = flip.state
            flips.append(flip)
    return Backtest(rule, since, until, flips)
