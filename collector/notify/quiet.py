"""Quiet: how near each rule is to firing, and in words why it does not: what somebody asks who expected to be woken."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collector.alerts.evaluate import Evaluator
from collector.alerts.flips import asked
from collector.alerts.measuring import Group
from collector.alerts.rules import Rule
from collector.alerts.sense import fewest
from collector.alerts.state import PENDING, Measurement, State, key_of
from collector.notify.message import amount
from collector.query.alerts import Silence
from collector.query.question import Question


@dataclass(frozen=True, slots=True)
class Quiet:
    """A rule that does not fire, or of whose groups some do not: where the one that is nearest to it stood at its last look.
    `groups` is how many there were; `found` is None where there is nothing to look at."""

    rule: Rule
    at: datetime
    group: Group
    groups: int
    found: Measurement | None
    why: str

    @property
    def group_key(self) -> str:
        """The group as text."""
        return key_of(self.group)

    @property
    def question(self) -> Question | None:
        """What was measured, as a question."""
        if self.found is None or self.found.since >= self.found.at:
            return None
        return asked(self.rule, (*self.group, *self.found.narrowed), self.found.since, self.found.at)


def quiet(evaluator: Evaluator, silences: Iterable[Silence], now: datetime) -> list[Quiet]:
    """Every rule that was looked at and has something that does not fire, the nearest to firing first."""
    known, found = list(silences), []
    for name, look in dict(evaluator.seen).items():
        rule, measured = look.rule, look.found
        if not rule.enabled or evaluator.folder.rules.get(name) != rule:  # changed since; the next look is soon
            continue
        calm = {group: one for group, one in measured.items() if not evaluator.book.state(rule, group).is_firing}
        if measured and not calm:
            continue
        group = max(calm, key=lambda group: _nearness(rule, calm[group]), default=())
        one = calm.get(group)
        why = reason(rule, evaluator.book.state(rule, group), one)
        if any(silence.covers(rule.id, key_of(group), now) for silence in known):
            why += "; it is silenced besides"
        found.append(Quiet(rule, look.at, group, len(measured), one, why))
    return sorted(found, key=lambda one: _nearness(one.rule, one.found) if one.found else (False, -1.0), reverse=True)


def _nearness(rule: Rule, found: Measurement) -> tuple[bool, float]:
    """The order of what is nearest to firing: what can be told first, then by the value as a part of its limit."""
    if found.value is None or found.limit is None:
        return False, 0.0
    part, whole = (found.value, found.limit) if rule.is_upward else (found.limit, found.value)
    if not whole:
        return found.is_enough, math.inf if part > 0 else 0.0
    return found.is_enough, part / whole


def reason(rule: Rule, state: State, found: Measurement | None) -> str:
    """Why it does not fire."""
    if found is None:
        return _no_new_error(rule) if rule.kind == "new_error" else "nothing was received lately"
    if found.newest is None or found.at - found.newest > rule.silence_after:
        return "nothing was received lately"
    if not found.is_enough:
        few = f"too few to tell: {found.n:,} of at least {fewest(rule):,}"
        return few if found.n < fewest(rule) else found.note or "there is nothing to compare with yet"
    if found.value is None:
        return "there is no value yet"
    if found.limit is None:
        return found.note or "it has no limit yet"
    up, limit = rule.is_upward, amount(found.limit, rule)
    if not (found.value > found.limit if up else found.value < found.limit):
        return f"{'not above' if up else 'not below'} {limit}"
    if rule.kind == "burn" and not found.note:
        return f"above {limit}, but of late it is no longer"
    edge = found.low if up else found.high
    if edge is None:
        return f"{'above' if up else 'below'} {limit}, and nobody can say how surely"
    if not (edge > found.limit if up else edge < found.limit):
        return f"may be chance: the true value may be {amount(edge, rule)}, and the limit is {limit}"
    if found.users_beyond < rule.fire.min_users:
        beyond = f"{found.users_beyond:,} user{'s' if found.users_beyond != 1 else ''}"
        return f"{'above' if up else 'below'} {limit} for {beyond} only; it takes {rule.fire.min_users:,}"
    if state.name == PENDING:
        return f"fires when {rule.fire_for} looks in a row find it so; it is looked at every {rule.every}"
    return f"{'above' if up else 'below'} {limit} at the last look"


def _no_new_error(rule: Rule) -> str:
    users = f"{rule.fire.min_users:,} user{'s' if rule.fire.min_users != 1 else ''}"
    return f"no error is new to {users} or more; none counts as new until an app is {rule.new_for} old"
