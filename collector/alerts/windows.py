"""Windows: a window that slides over the steps of a group's history, and the figures over it.

One pass over history gives every window of it: what comes in at one end is added, what leaves at the other is taken out.
A window that slid here has the same figures as one that was filled at once: a backtest and the live evaluator agree to
the last digit.
"""

import math
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

import msgspec

from collector.alerts import bounds
from collector.alerts.batches import UNIT, Batch, Sample, Shape, Sums, alone
from collector.alerts.entries import Entry


class Figure(msgspec.Struct, frozen=True):
    """A value, where the true one lies, and what it rests on."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    users: int


@dataclass
class Sliding:
    """Samples of the steps that are in the window now."""

    shape: Shape
    sums: Sums = field(default_factory=Sums)
    values: list[Sample] = field(default_factory=list)
    held: int = 0  # how many views or events fill the window
    _own: dict[int, tuple[Entry, ...]] = field(default_factory=dict)
    _users: dict[int, int] = field(default_factory=dict)
    _hit: dict[int, int] = field(default_factory=dict)

    def loses(self, batch: Batch) -> int:
        """How many fewer it would hold without one of its steps."""
        lost = batch.sums.n
        for entry in batch.company:
            if entry.is_valid:
                lost += len(own := self._own[entry.key]) == 1 or _valid(own) == 1
        return lost

    def add(self, batch: Batch) -> None:
        """Take a step in."""
        self.held += batch.sums.n
        self.sums.add(batch.sums, +1)
        self._count(batch.samples, +1)
        for entry in batch.company:
            before = self._own.get(entry.key, ())
            self._turn(entry.key, before, (*before, entry))

    def remove(self, batch: Batch) -> None:
        """Let a step go."""
        self.held -= batch.sums.n
        self.sums.add(batch.sums, -1)
        self._count(batch.samples, -1)
        for entry in batch.company:
            before = self._own[entry.key]
            place = before.index(entry)
            self._turn(entry.key, before, before[:place] + before[place + 1 :])

    def _turn(self, key: int, before: tuple[Entry, ...], after: tuple[Entry, ...]) -> None:
        """The entries of one key make one sample together; another one, when one of them comes or goes."""
        if after:
            self._own[key] = after
        else:
            del self._own[key]
        self.held += (_valid(after) > 0) - (_valid(before) > 0)
        was, now = self._sample(before), self._sample(after)
        if was == now:
            return
        for sample, way in ((was, -1), (now, +1)):
            if sample:
                self.sums.count(sample, self.shape, way)
                self._count([sample], way)

    def _sample(self, own: tuple[Entry, ...]) -> Sample | None:
        """The one sample that all entries of a view make."""
        if len(own) < 2:
            return alone(own[0]) if own else None
        last = max(own, key=lambda entry: (entry.seq, entry.age, entry.is_hidden))
        reports = [entry for entry in own if entry.value is not None]
        if last.is_hidden or not reports:
            return None
        values = [entry.value or 0.0 for entry in reports]
        if self.shape.combine == "newest":
            value = max(reports, key=lambda entry: (entry.age, entry.value)).value or 0.0
        else:
            value = max(values) if self.shape.combine == "most" else math.fsum(values)
        is_unit = any(entry.is_unit for entry in own)
        return value, max(entry.user for entry in own), max(entry.weight for entry in own), is_unit

    def _count(self, samples: list[Sample], way: int) -> None:
        """Put samples where their values stand, or take them away, and count their users."""
        if self.shape.level:
            self._place(samples, way)
            return
        edge = self.shape.poor if self.shape.of == "share_poor" else 0.0
        for value, user, _, is_unit in samples:
            if is_unit:
                _tally(self._users, user, way)
            if value > edge:
                _tally(self._hit, user, way)

    def _place(self, samples: list[Sample], way: int) -> None:
        values, users = self.values, self._users
        for sample in samples:
            _, user, _, is_unit = sample
            if not is_unit:
                continue
            n = users.get(user, 0) + way
            if n:
                users[user] = n
            else:
                del users[user]
            if way > 0:
                insort(values, sample)
            else:
                del values[bisect_left(values, sample)]

    def figure(self, minutes: float) -> Figure:
        """The value now, over a window of so many minutes."""
        sums, shape = self.sums, self.shape
        users = len(self._users)
        if shape.of in ("count", "size", "per_minute"):
            return self._counted(minutes, users)
        if not sums.size:
            return Figure(None, None, None, 0, 0)
        if shape.level:
            return Figure(*self._percentile(), sums.n, users)
        effective = sums.size * sums.size / sums.squares
        if shape.of == "rate":
            value = sums.amount / UNIT / sums.size
            squares = sums.amount_squares / UNIT / UNIT / sums.squares
            low, high = bounds.of_mean(value, squares, max(1, round(effective)), shape.confidence)
            return Figure(value, low, high, sums.n, users)
        part = {"share_poor": sums.poor, "share_good": sums.good}.get(shape.of, sums.amount / UNIT)
        low, high = bounds.of_share(part / sums.size, effective, shape.confidence)
        return Figure(part / sums.size, low, high, sums.n, users)

    def _counted(self, minutes: float, users: int) -> Figure:
        amount = self.sums.size if self.shape.of == "size" else self.sums.amount / UNIT
        value = amount / minutes if self.shape.of == "per_minute" else amount
        return Figure(value, value, value, self.sums.n, users)  # a count is what it is, no sample of something larger

    def _percentile(self) -> tuple[float, float | None, float | None]:
        """The value, and the two between which the true one lies."""
        size, squares, shape = self.sums.size, self.sums.squares, self.shape
        effective = round(size * size / squares)
        lower, upper = bounds.ranks(effective, shape.level, shape.confidence)
        at = self._rank if squares * self.sums.n == size * size else self._weight  # all weigh the same, or not
        return (
            at(math.ceil((shape.level + 1e-9) * size)),
            at(lower / effective * size) if lower else None,
            at(upper / effective * size) if upper else None,
        )

    def _rank(self, weight: float) -> float:
        """The value at which so much weight is reached, where all weigh the same."""
        place = math.ceil(weight * (1 - 1e-12) * self.sums.n / self.sums.size) - 1
        return self.values[min(max(place, 0), len(self.values) - 1)][0]

    def _weight(self, weight: float) -> float:
        """The value at which so much weight is reached."""
        wanted, reached = weight * (1 - 1e-12), 0
        for value, _, own, _ in self.values:
            reached += own
            if reached >= wanted:
                return value
        return self.values[-1][0]

    def users_beyond(self, limit: float, is_upward: bool) -> int:
        """How many users have a value beyond the limit; all of them where values are no values of users."""
        if not self.shape.level:
            return len(self._hit) if is_upward else len(self._users)
        edge = (limit, math.inf) if is_upward else (limit, -math.inf)
        place = bisect_right(self.values, edge)
        beyond = self.values[place:] if is_upward else self.values[:place]
        return len({user for _, user, _, _ in beyond})


def _valid(own: tuple[Entry, ...]) -> int:
    """How many entries would each fill a window."""
    return sum(entry.is_valid for entry in own)


def _tally(counts: dict[int, int], key: int, way: int) -> None:
    n = counts.get(key, 0) + way
    if n:
        counts[key] = n
    else:
        del counts[key]
