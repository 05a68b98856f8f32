"""Batches: what one step of a group's history adds to a window when it comes in, and takes along when it leaves.

Nearly all views are seen in one step only. What they count as is made once for each step, summed and sorted, so that a
window takes them in as one; those that come again, in company with themselves, are left for the window to combine.
All sums are whole numbers, so the order in which they come and go does not show.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

UNIT = 1 << 20  # values are summed as whole multiples of 1 / UNIT


class Entry(NamedTuple):
    """What one view (session, user) or event brought in one bucket. `age` orders reports of the same `key`."""

    key: int
    value: float | None
    age: int
    is_hidden: bool
    seq: int
    weight: int
    is_unit: bool
    user: int

    @property
    def is_valid(self) -> bool:
        """Whether by itself it counts as one of those a window is filled with."""
        return self.is_unit and not self.is_hidden and self.value is not None


class Sample(NamedTuple):
    """What a view or an event counts as."""

    value: float
    user: int
    weight: int
    is_unit: bool


@dataclass(slots=True)
class Bucket:
    """The entries of one group within one step of time; `newest_ms` is the last moment one was received."""

    entries: list[Entry]
    newest_ms: int = 0


Buckets = dict[int, Bucket]  # by step, counted from where the history begins; steps without events are absent


@dataclass(frozen=True, slots=True)
class Shape:
    """How entries of one key become one sample (`newest`, `most`, `sum` or `each`), and what is asked of the samples."""

    combine: str
    level: float = 0.0  # of a percentile; 0: sums are asked for
    poor: float = math.inf
    good: float = math.inf
    of: str = "rate"  # share_poor, share_good, share (of ones), rate (per unit), per_minute, count, size (how many)
    confidence: int = 95


@dataclass(slots=True)
class Sums:
    """Of samples, as whole numbers."""

    n: int = 0
    size: int = 0
    squares: int = 0
    amount: int = 0
    amount_squares: int = 0
    good: int = 0
    poor: int = 0

    def count(self, sample: Sample, shape: Shape, way: int = 1) -> None:
        """One sample more, or one less."""
        _, _, weight, is_unit = sample
        if is_unit:
            self.n += way
            self.size += way * weight
            self.squares += way * weight * weight
        if not shape.level:
            self._amount(sample, shape, way)

    def _amount(self, sample: Sample, shape: Shape, way: int) -> None:
        weight, scaled = way * sample.weight, round(sample.value * UNIT)
        self.amount += weight * scaled
        self.amount_squares += weight * sample.weight * scaled * scaled
        if sample.is_unit:
            self.good += weight * (sample.value <= shape.good)
            self.poor += weight * (sample.value > shape.poor)

    def add(self, other: "Sums", way: int) -> None:
        """As many more, or less, as another counts."""
        self.n += way * other.n
        self.size += way * other.size
        self.squares += way * other.squares
        self.amount += way * other.amount
        self.amount_squares += way * other.amount_squares
        self.good += way * other.good
        self.poor += way * other.poor


@dataclass(slots=True)
class Batch:
    """One step: the samples of those who come in no other, and the entries of those who do."""

    samples: list[Sample]
    company: list[Entry]
    sums: Sums


class Batches(dict[int, Batch | None]):
    """The steps of one group, each made when it is first asked for."""

    def __init__(self, shape: Shape, buckets: Buckets) -> None:
        self.shape, self.buckets = shape, buckets
        self._again = set[int]() if shape.combine == "each" else _again(buckets)

    def __missing__(self, step: int) -> Batch | None:
        bucket = self.buckets.get(step)
        made = self[step] = self._batch(bucket) if bucket else None
        return made

    def _batch(self, bucket: Bucket) -> Batch:
        again, is_each = self._again, self.shape.combine == "each"
        lone = [entry for entry in bucket.entries if entry.key not in again] if again else bucket.entries
        samples = [sample for entry in lone if (sample := alone(entry)) and (sample.is_unit or not is_each)]
        sums = Sums()
        for sample in samples:
            sums.count(sample, self.shape)
        company = [entry for entry in bucket.entries if entry.key in again] if again else []
        return Batch(samples, company, sums)


def _again(buckets: Buckets) -> set[int]:
    """The keys that come more than once."""
    keys = [entry.key for bucket in buckets.values() for entry in bucket.entries]
    once = set(keys)
    return {key for key, n in Counter(keys).items() if n > 1} if len(once) < len(keys) else set()


def alone(entry: Entry) -> Sample | None:
    """What an entry counts as by itself."""
    if entry.value is None or entry.is_hidden:
        return None
    return Sample(entry.value, entry.user, entry.weight, entry.is_unit)
