"""Alerts: what has been written about them: flips, attempts to deliver, silences and acknowledgements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.query.question import milliseconds, sql
from collector.store import Store

FLIPS = 500


@dataclass(frozen=True, slots=True)
class StoredFlip:
    """One change of state, as it was written; `question` is the address that opens what was measured."""

    rule: str
    group_key: str
    group: dict[str, str]
    seq: int
    at: datetime
    before: str
    after: str
    fired_at: datetime | None
    since: datetime | None
    value: float | None
    low: float | None
    high: float | None
    n: int
    users: int
    limit_value: float | None
    note: str
    problem: str
    question: str
    rule_text: str
    written_by: str
    written_at: datetime

    @property
    def is_firing(self) -> bool:
        """Whether the episode it belongs to was going on after it."""
        return self.fired_at is not None and self.after not in ("ok", "learning")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver a notice: `claimed`, `sent`, `failed` (comes again at `next_at`) or `refused` (for good)."""

    notice: str
    receiver: str
    rule: str
    attempt: int
    outcome: str
    said: str
    next_at: datetime | None
    written_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which notices are kept back: of one rule and group, of a rule (no group), or of all (no rule)."""

    id: str
    rule: str
    group_key: str
    starts_at: datetime
    ends_at: datetime
    who: str
    why: str

    def covers(self, rule: str, group_key: str, moment: datetime) -> bool:
        """Whether it keeps back what this rule says about this group now."""
        return (
            self.starts_at <= moment < self.ends_at
            and self.rule in ("", rule)
            and (not self.group_key or self.group_key == group_key)
        )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has taken on an episode of firing."""

    rule: str
    group_key: str
    fired_at: datetime
    who: str
    at: datetime


def newest_flips(store: Store) -> list[StoredFlip]:
    """The last flip of every rule and group: where everything stands."""
    return [_flip(row) for row in _ask(store, "newest_flips")]


def flips_of(store: Store, since: datetime, rule: str = "", most: int = FLIPS) -> list[StoredFlip]:
    """Flips since a moment, the newest first; of one rule, or of all."""
    return [_flip(row) for row in _ask(store, "flips_of", since_ms=milliseconds(since), rule=rule, most=most)]


def written_flip(store: Store, rule: str, group_key: str, seq: int) -> StoredFlip | None:
    """What stands in the store under one token."""
    rows = _ask(store, "written_flip", rule=rule, group_key=group_key, seq=seq)
    return _flip(rows[0]) if rows else None


def attempts_since(store: Store, since: datetime) -> list[Attempt]:
    """Every attempt since a moment, the oldest first."""
    return [Attempt(**row) for row in _ask(store, "attempts_since", since_ms=milliseconds(since))]


def written_attempt(store: Store, notice: str, attempt: int) -> str:
    """Who claimed an attempt; empty if nobody did."""
    rows = _ask(store, "written_attempt", notice=notice, attempt=attempt)
    return str(rows[0]["written_by"]) if rows else ""


def silences(store: Store, since: datetime) -> list[Silence]:
    """Silences that end after a moment, each as it was last written."""
    return [Silence(**row) for row in _ask(store, "silences", since_ms=milliseconds(since))]


def acknowledgements(store: Store, since: datetime) -> list[Acknowledgement]:
    """Acknowledgements of episodes that began since a moment."""
    return [Acknowledgement(**row) for row in _ask(store, "acknowledgements", since_ms=milliseconds(since))]


def _ask(store: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
    return store.read(sql(name), parameters)


def _flip(row: dict[str, Any]) -> StoredFlip:
    return StoredFlip(**row)
