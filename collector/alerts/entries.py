"""Entries: what views (sessions, users) or events brought to a group, in columns as the store gives them.

Nearly all of them are alone and are never looked at by themselves, so none is made an object before it has to be.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain, count, islice
from operator import gt
from typing import Any, NamedTuple

from collector.query.history import Columns


class Entry(NamedTuple):
    """What one view (session, user) or event brought in one step. `age` orders reports of the same `key`."""

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


class Entries:
    """Of one group, in the order of time; steps are counted from where the history begins."""

    def __init__(self, columns: Columns) -> None:
        came = columns.came_ms
        self.columns = _by_time(columns) if any(map(gt, came, islice(came, 1, None))) else columns

    @cached_property
    def until(self) -> dict[int, int]:
        """How many there are up to the end of each step, earliest first; steps without any are absent."""
        return dict(zip(self.columns.steps, count(1)))

    @cached_property
    def newest_ms(self) -> dict[int, int]:
        """When the last one of each step was received."""
        return dict(zip(self.columns.steps, self.columns.came_ms, strict=True))

    @cached_property
    def slices(self) -> dict[int, slice]:
        """Where in the columns each step is."""
        ends = self.until.values()
        return dict(zip(self.until, map(slice, chain((0,), ends), ends), strict=True))

    @cached_property
    def again(self) -> set[int]:
        """The keys that come more than once."""
        keys = self.columns.keys
        return {key for key, n in Counter(keys).items() if n > 1} if len(set(keys)) < len(keys) else set()

    def of_again(self, at: slice) -> list[Entry]:
        """Those of a step whose keys come in other steps too."""
        columns, again = self.columns, self.again
        return [
            Entry(
                columns.keys[nr], value if (value := columns.values[nr]) == value else None, columns.ages[nr],
                bool(columns.hidden[nr]), columns.seqs[nr], columns.weights[nr], bool(columns.units[nr]), columns.users[nr],
            )
            for nr in range(at.start, at.stop) if columns.keys[nr] in again
        ]  # fmt: skip


def together(several: Sequence[Entries]) -> Entries:
    """The entries of several groups, or of none, as those of one."""
    if len(several) == 1:
        return several[0]
    return Entries(_each(lambda nr: [item for entries in several for item in entries.columns[nr]]))


def _by_time(columns: Columns) -> Columns:
    order = sorted(range(len(columns.came_ms)), key=columns.came_ms.__getitem__)
    return _each(lambda nr: [columns[nr][place] for place in order])


def _each(column: Callable[[int], list[Any]]) -> Columns:
    return Columns(*map(column, range(len(Columns._fields))))
