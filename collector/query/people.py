"""People: one user, session or team against everybody: how their views lie in everybody's, and what went wrong in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.query.overview import RecentView
from collector.query.question import Question, ask
from collector.store import Store

CORE = ("LCP", "INP", "CLS")
VIEWS = 200
MOMENTS = 200
SLOW_SHARE = 0.25  # of everybody's views lie above everybody's p75
CHANCE = 0.025
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Level:
    """How one vital lies for everybody."""

    name: str
    n: int
    p10: float
    p50: float
    p75: float
    p90: float


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things went wrong."""

    views: int
    users: int
    sessions: int
    errors: int
    requests: int
    failed: int
    angry: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that went wrong within a view."""

    view_id: str
    event_id: str
    type: str
    timestamp: datetime
    name: str
    error_type: str
    message: str
    target: str
    url: str
    failure: str
    status_code: int | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One vital of somebody's views against everybody's: how many lie above everybody's p75, and how likely that, or
    more, would be by chance if they were like everybody."""

    level: Level
    values: tuple[float, ...]
    slower: int
    chance: float

    @property
    def is_enough(self) -> bool:
        """Whether there are views enough to hold anything against anybody."""
        return len(self.values) >= FEWEST

    @property
    def is_slower(self) -> bool:
        """Whether more views are slow than chance explains."""
        return self.is_enough and self.chance < CHANCE


def everybody(store: Store, question: Question) -> list[Level]:
    """The core vitals of all of the question's views."""
    return [Level(row["name"], row["n"], *row["levels"]) for row in ask(store, "everybody", question)]


def rates(store: Store, question: Question) -> Rates:
    """Errors, failed requests and clicks in vain of the question's views."""
    return Rates(**ask(store, "rates", question)[0])


def moments(store: Store, question: Question) -> list[Moment]:
    """What went wrong, the newest first."""
    return [Moment(**row) for row in ask(store, "moments", question, limit=MOMENTS)]


def named(store: Store, question: Question, text: str) -> list[str]:
    """What a text is the name of: any of view, session, trace, user, route, team, release."""
    rows = ask(store, "named", question, text=text)
    return [row["kind"] for row in rows if row["is_known"]]


def standing(level: Level, views: Sequence[RecentView]) -> Standing:
    """Somebody's views against everybody's level of one vital."""
    seen = [getattr(view, level.name.lower()) for view in views if not view.is_hidden]
    values = tuple(value for value in seen if value is not None)
    slower = sum(value > level.p75 for value in values)
    return Standing(level, values, slower, _at_least(slower, len(values)))


def _at_least(k: int, n: int) -> float:
    """The chance that k or more of n views lie above everybody's p75."""
    return sum(math.comb(n, i) * SLOW_SHARE**i * (1 - SLOW_SHARE) ** (n - i) for i in range(k, n + 1))
