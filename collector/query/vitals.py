"""Vitals: how they were over a question's time.

One value per view and vital, the newest report; views nobody ever saw are counted apart. A percentile comes with the n
it rests on and, below a thousand, with the interval in which the true one lies 95 times of 100.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.query.metrics import LIMITS as LIMITS
from collector.query.metrics import fewest_beyond
from collector.query.question import Question, ask, milliseconds
from collector.query.spread import COARSE, P75, Bounds, interval, of_quantile
from collector.query.weights import ask_weighing
from collector.store import Store

BUCKETS = 40
INTERVAL_BELOW = 1_000
FEWEST = fewest_beyond(P75)


@dataclass(frozen=True, slots=True)
class Percentile:
    """A p75, the number of views it rests on, and its interval where it was asked for (None: open-ended). Of very many
    views one in `one_in` was read."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    one_in: int = 1

    @property
    def is_enough(self) -> bool:
        """Whether there are views enough to speak of a p75 at all."""
        return self.n >= FEWEST

    @property
    def has_interval(self) -> bool:
        """Whether the interval is to be told along with the number."""
        return self.n < INTERVAL_BELOW

    def differs(self, other: "Percentile") -> bool:
        """Whether the two are apart by more than chance: their intervals do not meet."""
        (low, high), (other_low, other_high) = self._bounds(), other._bounds()
        return low > other_high or high < other_low

    def _bounds(self) -> tuple[float, float]:
        return (
            -math.inf if self.low is None else self.low,
            math.inf if self.high is None else self.high,
        )


@dataclass(frozen=True, slots=True)
class Vital:
    """One vital over the question's time; good + mixed + poor are views, sampled sessions counted as those they stand
    for, and `hidden` those left out because nobody saw the page."""

    name: str
    p75: Percentile
    good: int
    mixed: int
    poor: int
    hidden: int
    before: Percentile | None = None

    @property
    def views(self) -> int:
        """How many views these stand for; more than n where sessions were sampled."""
        return self.good + self.mixed + self.poor


@dataclass(frozen=True, slots=True)
class Point:
    """One vital in one slice of time."""

    name: str
    bucket: int
    p50: float
    p75: float
    p90: float
    n: int


def vitals(store: Store, question: Question, is_alone: bool = False) -> list[Vital]:
    """The vitals of the question's time, each beside the period of the same length before it unless `is_alone`. Absent: not
    measured."""
    bounds = {"goods": [limit.good for limit in LIMITS.values()], "poors": [limit.poor for limit in LIMITS.values()]}
    since = question.since if is_alone else question.since - question.span
    rows = ask_weighing(store, "vitals", question, since_ms=milliseconds(since), **bounds)
    periods = {(row["name"], row["is_now"]): row for row in rows}
    found = []
    for name in LIMITS:
        now, then = periods.get((name, 1)), periods.get((name, 0))
        if now:
            before = percentile(then, "") if then and then["n"] else None
            found.append(
                Vital(name, percentile(now, ""), now["good"], now["mixed"], now["poor"], now["hidden"], before)
            )
    return found


def series(store: Store, question: Question) -> list[Point]:
    """The vitals over time, in BUCKETS slices; slices without a view are absent."""
    step = milliseconds(question.until) - milliseconds(question.since)
    rows = ask(store, "series", question, step_ms=step / BUCKETS)
    return [Point(**{name: row[name] for name in Point.__slots__}) for row in rows]


def bucket_start(question: Question, bucket: int) -> datetime:
    """When a slice of `series` begins."""
    return question.since + question.span * (bucket / BUCKETS)


def percentile(row: dict[str, Any], prefix: str) -> Percentile:
    """A Percentile from the columns `n`, `p75` and `sample` (pairs of value and weight, sorted), under a prefix; from a
    thousand on it has an interval if there are `around` (the quantiles at AROUND) and `effective` (their number, fewer
    where they weigh differently) as well."""
    n, sample = row[f"{prefix}n"], row[f"{prefix}sample"]
    bounds: Bounds = (None, None)
    if n < INTERVAL_BELOW:
        bounds = interval(sample)
    elif "around" in row:
        bounds = of_quantile([], row["around"], P75, row["effective"], COARSE)
    return Percentile(row[f"{prefix}p75"] or 0.0, n, *bounds, row.get("one_in", 1))
