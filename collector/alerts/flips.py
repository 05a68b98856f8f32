"""Flips: written once, whoever finds them first. The store's rows are the only memory alerts have.

A flip is inserted under the token `rule/group/seq` and read back. Of several evaluators that found it, the one whose name
stands in the row goes on to deliver it; the others take the row for what happened and carry on from there.
"""

import secrets
from datetime import datetime, timedelta

from collector.alerts.measuring import Group, question
from collector.alerts.rules import Rule
from collector.alerts.state import NEW, Flip, State, key_of
from collector.alerts.text import write as as_text
from collector.query.alerts import StoredFlip, newest_flips, written_flip
from collector.query.condition import literal
from collector.query.question import Question
from collector.store import Store


class Book:
    """The states of all rules and groups, as the store has them."""

    def __init__(self, store: Store, name: str = "") -> None:
        self.store = store
        self.name = name or secrets.token_hex(8)
        self.states: dict[tuple[str, Group], State] = {}
        self.newest: dict[tuple[str, Group], StoredFlip] = {}

    def open(self) -> None:
        """Read where everything stands."""
        self.states, self.newest = {}, {}
        for flip in newest_flips(self.store):
            self._take(flip)

    def state(self, rule: Rule, group: Group) -> State:
        """Where a rule stands for a group."""
        return self.states.get((rule.id, group), NEW)

    def groups(self, rule: Rule) -> list[Group]:
        """Groups of a rule whose story is not over."""
        return [
            group for (name, group), state in self.states.items()
            if name == rule.id and (group or not rule.is_grouped) and not state.is_over
        ]  # fmt: skip

    def write(self, rule: Rule, flip: Flip) -> StoredFlip | None:
        """Put a flip down; what stands there now, or nothing if somebody else was first. Raises `StoreAway`."""
        key = key_of(flip.group)
        there = written_flip(self.store, flip.rule, key, flip.seq)
        if there is None:
            self.store.append("flips", [self._row(rule, flip, key)], flip.token)
            there = written_flip(self.store, flip.rule, key, flip.seq)
        assert there is not None, f"{flip.token} was inserted and is not there"
        self._take(there)
        return there if there.written_by == self.name else None

    def _row(self, rule: Rule, flip: Flip, key: str) -> dict[str, object]:
        found = flip.measurement
        return {
            "rule": flip.rule, "group_key": key, "group": dict(flip.group), "seq": flip.seq, "at": flip.at,
            "before": flip.before, "after": flip.after, "fired_at": flip.fired_at,
            "since": found.since if found else None, "value": found.value if found else None,
            "low": found.low if found else None, "high": found.high if found else None,
            "n": found.n if found else 0, "users": found.users if found else 0,
            "limit_value": found.limit if found else None, "note": found.note if found else "",
            "problem": flip.problem, "question": link(rule, flip), "rule_text": as_text(rule), "written_by": self.name,
        }  # fmt: skip

    def _take(self, flip: StoredFlip) -> None:
        group = tuple(flip.group.items())
        fired_at = flip.fired_at if flip.is_firing else None
        self.states[flip.rule, group] = State(flip.after, flip.at, flip.seq, fired_at)
        self.newest[flip.rule, group] = flip


def link(rule: Rule, flip: Flip, path: str = "/explore") -> str:
    """The address that opens exactly what was measured: the same window, the same filters."""
    found = flip.measurement
    since = found.since if found and found.since < flip.at else flip.at - timedelta(hours=1)
    also = found.narrowed if found else ()
    return asked(rule, (*flip.group, *also), since, flip.at).link(path)


def asked(rule: Rule, group: Group, since: datetime, until: datetime) -> Question:
    """A rule's question about one group over a time."""
    found = question(rule, since, until).asking(group_by=())
    for name, value in group:
        found = found.where_also(name, literal(value))
    return found
