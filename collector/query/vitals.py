"""Vitals: their limits, and how they were over a question's time.

One value per view and vital, the newest report; views nobody ever saw are counted apart. A percentile comes with the n
it rests on and, below a thousand, with the interval in which the true one lies 95 times of 100.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from collector.query.question import Question, ask, milliseconds
from collector.store import Store

BUCKETS = 40
INTERVAL_BELOW = 1_000
CONFIDENCE = 0.95
P75 = 0.75
FEWEST = math.ceil(10 / (1 - P75))


@dataclass(frozen=True, slots=True)
class Limit:
    """A vital's own limits, those of https://web.dev/articles/vitals: good up to `good`, poor beyond `poor`."""

    name: str
    title: str
    unit: str
    good: float
    poor: float

    def rate(self, value: float) -> str:
        """`good`, `mixed` (needs improvement) or `poor`."""
        if value <= self.good:
            return "good"
        return "mixed" if value <= self.poor else "poor"


LIMITS = {
    limit.name: limit
    for limit in (
        Limit("LCP", "Largest Contentful Paint", "ms", 2_500, 4_000),
        Limit("INP", "Interaction to Next Paint", "ms", 200, 500),
        Limit("CLS", "Cumulative Layout Shift", "", 0.1, 0.25),
        Limit("FCP", "First Contentful Paint", "ms", 1_800, 3_000),
        Limit("TTFB", "Time to First Byte", "ms", 800, 1_800),
    )
}


@dataclass(frozen=True, slots=True)
class Percentile:
    """A p75, the number of views it rests on, and its interval where that number is small (None: open-ended)."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None

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
        if self.has_interval or other.has_interval:
            low, high = self._bounds()
            other_low, other_high = other._bounds()
            return low > other_high or high < other_low
        return self.value != other.value

    def _bounds(self) -> tuple[float, float]:
        if not self.has_interval:
            return self.value, self.value
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


def vitals(store: Store, question: Question) -> list[Vital]:
    """The vitals of the question's time, each beside the period of the same length before it. Absent: not measured."""
    bounds = {"goods": [limit.good for limit in LIMITS.values()], "poors": [limit.poor for limit in LIMITS.values()]}
    rows = ask(store, "vitals", question, since_ms=milliseconds(question.since - question.span), **bounds)
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
    """A Percentile from the columns `n`, `p75` and `sample` (pairs of value and weight, sorted), under a prefix."""
    low, high = interval(row[f"{prefix}sample"]) if row[f"{prefix}n"] < INTERVAL_BELOW else (None, None)
    return Percentile(row[f"{prefix}p75"] or 0.0, row[f"{prefix}n"], low, high)


def interval(sample: Sequence[tuple[float, int]], level: float = P75) -> tuple[float | None, float | None]:
    """Where the true quantile lies with 95 % confidence, by order statistics: no shape of the data is assumed.

    Unequal weights count as fewer observations (Kish's effective size). None: the sample is too small to bound it.
    """
    if not sample:
        return None, None
    total = sum(weight for _, weight in sample)
    size = round(total * total / sum(weight * weight for _, weight in sample))
    lower, upper = ranks(size, level)
    low = _at(sample, lower / size * total) if lower else None
    high = _at(sample, upper / size * total) if upper else None
    return low, high


@lru_cache(maxsize=4_096)
def ranks(n: int, level: float) -> tuple[int, int]:
    """The ranks (from 1) of the order statistics that bound a quantile of n values; 0: there is none."""
    tail = (1 - CONFIDENCE) / 2
    below, lower, upper = 0.0, 0, 0
    for k in range(n):
        below += math.exp(
            math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
            + k * math.log(level) + (n - k) * math.log1p(-level)
        )  # fmt: skip
        if below <= tail:
            lower = k + 1
        if below >= 1 - tail:
            upper = k + 1
            break
    return lower, upper


def _at(sample: Sequence[tuple[float, int]], weight: float) -> float:
    reached = 0.0
    for value, own in sample:
        reached += own
        if reached >= weight * (1 - 1e-12):
            return value
    return sample[-1][0]
