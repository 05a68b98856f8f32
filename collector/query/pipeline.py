"""Pipeline: may one trust the data: the ledger of outcomes, who sends, what was lost on the way, how long it took."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import BUCKETS
from collector.store import Store

SENDERS = 50
LATE = timedelta(minutes=1)  # after it happened


@dataclass(frozen=True, slots=True)
class Entry:
    """Events of one slice of time that ended in one outcome; `app` is empty where the door could not tell it."""

    app: str
    outcome: str
    bucket: int
    events: int
    last_minute: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """Pages of one origin with one version of the snippet. `missing` of `beacons + missing` were sent and never came."""

    origin: str
    snippet: str
    views: int
    n: int
    events: int
    late: int
    sampled: int
    shifted: int
    beacons: int
    missing: int
    last_at: datetime

    @property
    def expected(self) -> int:
        """Beacons that must have been sent, by their numbers."""
        return self.beacons + self.missing


@dataclass(frozen=True, slots=True)
class Lag:
    """How long segments took from their newest line to the store, in ms."""

    segments: int
    lines: int
    p50: float
    p95: float


def ledger(store: Store, question: Question) -> list[Entry]:
    """Outcomes by slice of time; the ledger counts minutes, and knows apps but no other filter."""
    step = milliseconds(question.until) - milliseconds(question.since)
    return [Entry(**row) for row in ask(store, "ledger", question, step_ms=step / BUCKETS)]


def senders(store: Store, question: Question) -> list[Sender]:
    """Origins and versions of the snippet, the busiest first."""
    late_ms = LATE // timedelta(milliseconds=1)
    return [Sender(**row) for row in ask(store, "senders", question, late_ms=late_ms, limit=SENDERS)]


def lag(store: Store, question: Question) -> Lag | None:
    """How long it took until data could be seen; None when nothing was loaded."""
    row = ask(store, "lag", question)[0]
    return Lag(row["segments"], row["total"], *row["levels"]) if row["segments"] else None
