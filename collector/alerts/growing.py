"""Growing: the window of a rule for one group: as short as it may be, as long as it takes to hold enough."""

from dataclasses import dataclass, field

from collector.alerts.batches import Batches
from collector.alerts.windows import Sliding


@dataclass
class Growing:
    """Ends at step `end` (excluded) and begins at `start`; between `least` and `most` steps long."""

    batches: Batches
    least: int
    most: int
    samples: int
    start: int = 0
    end: int = 0
    sliding: Sliding = field(init=False)

    def __post_init__(self) -> None:
        self.sliding = Sliding(self.batches.shape)

    def advance(self, end: int) -> Sliding:
        """Move the end, and the start as far as it has to follow: the shortest window that holds enough."""
        if end - self.end > self.most:
            self._begin_anew(end)
        for nr in range(self.end, end):
            self._add(nr)
        self.end = end
        while end - self.start > self.most:
            self._drop()
        while end - self.start < self.least:
            self._grow()
        while end - self.start > self.least and self._can_spare():
            self._drop()
        while end - self.start < self.most and self.sliding.held < self.samples:
            self._grow()
        return self.sliding

    def move(self, start: int, end: int) -> Sliding:
        """Take exactly these steps, whatever they hold."""
        if start >= self.end or end <= self.start:
            self._begin_anew(start)
        while self.start > start:
            self._grow()
        for nr in range(self.end, end):
            self._add(nr)
        self.end = max(self.end, end)
        while self.start < start:
            self._drop()
        return self.sliding

    def _begin_anew(self, at: int) -> None:
        self.sliding = Sliding(self.batches.shape)
        self.start = self.end = at

    def _can_spare(self) -> bool:
        spare = self.sliding.held - self.samples
        if spare < 0:
            return False
        first = self.batches[self.start]
        return first is None or spare >= self.sliding.loses(first)

    def _add(self, nr: int) -> None:
        if batch := self.batches[nr]:
            self.sliding.add(batch)

    def _drop(self) -> None:
        if batch := self.batches[self.start]:
            self.sliding.remove(batch)
        self.start += 1

    def _grow(self) -> None:
        self.start -= 1
        self._add(self.start)
