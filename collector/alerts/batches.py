"""Batches: what one step of a group's history adds to a window when it comes in, and takes along when it leaves.

Nearly all views are seen in one step only. What they count as is made once for each step, summed and sorted, so that a
window takes them in as one; those that come again, in company with themselves, are left for the window to combine.
All sums are whole numbers, so the order in which they come and go does not show.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from collector.alerts.entries import Entries, Entry

UNIT = 1 << 20  # values are summed as whole multiples of 1 / UNIT


# What a view or an event counts as: value, user, weight, and whether it is one of those that are asked about. A plain tuple,
# which is made by `zip` and compared without a look at its class.
Sample = tuple[float, int, int, int]


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

    def weigh(self, weights: list[int]) -> None:
        """So many samples more, of which only the weights matter."""
        self.n += len(weights)
        self.size += sum(weights)
        self.squares += sum(weight * weight for weight in weights)

    def count(self, sample: Sample, shape: Shape, way: int = 1) -> None:
        """One sample more, or one less."""
        value, _, weight, is_unit = sample
        if is_unit:
            self.n += way
            self.size += way * weight
            self.squares += way * weight * weight
        if shape.level:
            return
        scaled = round(value * UNIT)
        self.amount += way * weight * scaled
        self.amount_squares += way * weight * weight * scaled * scaled
        if is_unit:
            self.good += way * weight * (value <= shape.good)
            self.poor += way * weight * (value > shape.poor)

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

    def __init__(self, shape: Shape, entries: Entries) -> None:
        self.shape, self.entries = shape, entries
        self._again = set[int]() if shape.combine == "each" else entries.again

    def __missing__(self, step: int) -> Batch | None:
        at = self.entries.slices.get(step)
        made = self[step] = self._batch(at) if at else None
        return made

    def _batch(self, at: slice) -> Batch:
        samples = [sample for sample in self._alone[at] if sample]
        sums = Sums()
        if self.shape.level:
            sums.weigh([sample[2] for sample in samples])
        else:
            for sample in samples:
                sums.count(sample, self.shape)
        return Batch(samples, self.entries.of_again(at) if self._again else [], sums)

    @cached_property
    def _alone(self) -> list[Sample | None]:
        """What each entry counts as by itself, None for one that does not."""
        columns, again = self.entries.columns, self._again
        # Who is not asked about may add to an amount, but is no value of its own.
        is_unit_needed = bool(self.shape.level) or self.shape.combine == "each"
        rows = zip(columns.values, columns.users, columns.weights, columns.units, strict=True)
        return [
            None if is_hidden or row[0] != row[0] or key in again or (is_unit_needed and not row[3]) else row
            for row, key, is_hidden in zip(rows, columns.keys, columns.hidden, strict=True)
        ]


def alone(entry: Entry) -> Sample | None:
    """What an entry counts as by itself."""
    if entry.value is None or entry.is_hidden:
        return None
    return entry.value, entry.user, entry.weight, entry.is_unit
