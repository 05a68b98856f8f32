"""Windows: one that slid holds exactly what one holds that was filled at once, and bounds hold as often as they say."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.alerts import bounds
from collector.alerts.batches import Batches, Shape
from collector.alerts.entries import Entries, Entry
from collector.alerts.growing import Growing
from collector.query.history import Columns

SHAPES = [
    Shape("newest", 0.75), Shape("newest", 0.5), Shape("newest", of="share_poor", poor=50, good=20), Shape("sum"),
    Shape("sum", 0.9), Shape("most", of="share"), Shape("each", of="share"), Shape("each", of="count"),
]  # fmt: skip

keys = st.one_of(st.integers(1, 12), st.integers(100, 10_000))  # some come again and again, most only once
entries = st.builds(
    Entry, keys, st.one_of(st.none(), st.floats(0, 100, width=16)), st.integers(0, 9), st.booleans(),
    st.integers(0, 9), st.sampled_from([1, 1, 1, 10]), st.sampled_from([True, True, False]), st.integers(1, 5),
)  # fmt: skip


def one_each(found: list[Entry]) -> list[Entry]:
    """A view brings one entry to a step."""
    return list({entry.key: entry for entry in found}.values())


def in_columns(steps: dict[int, list[Entry]]) -> Entries:
    """As the store gives them; a step takes a second, and its entries come in its last millisecond."""
    rows = [
        (step, 1_000 * step + 999, e.key, math.nan if e.value is None else e.value, e.age, e.is_hidden, e.seq, e.weight,
         e.is_unit, e.user)
        for step, found in steps.items() for e in found
    ]  # fmt: skip
    return Entries(Columns(*([row[nr] for row in rows] for nr in range(10))))


histories = st.dictionaries(
    st.integers(0, 25), st.lists(entries, min_size=1, max_size=6).map(one_each), max_size=20
).map(in_columns)


@settings(max_examples=60, deadline=None)
@given(
    histories,
    st.sampled_from(SHAPES),
    st.integers(1, 4),
    st.integers(4, 12),
    st.integers(1, 15),
    st.sets(st.integers(1, 26)),
)
def test_a_sliding_window_is_a_fresh_one(
    history: Entries, shape: Shape, least: int, most: int, samples: int, ends: set[int]
) -> None:
    sliding = Growing(Batches(shape, history), least, most, samples)
    for end in sorted(ends):
        slid = sliding.advance(end)
        fresh = Growing(Batches(shape, history), least, most, samples)
        fresh.start = fresh.end = end
        filled = fresh.advance(end)
        assert (sliding.start, slid.sums, slid.held) == (fresh.start, filled.sums, filled.held)
        assert slid.figure(5.0) == filled.figure(5.0)
        for limit in (10.0, 60.0):
            assert slid.users_beyond(limit, True) == filled.users_beyond(limit, True)


@settings(max_examples=60, deadline=None)
@given(
    histories, st.sampled_from(SHAPES), st.integers(1, 4), st.integers(4, 12), st.integers(1, 15), st.integers(1, 26)
)
def test_a_window_is_as_short_as_it_may_be(
    history: Entries, shape: Shape, least: int, most: int, samples: int, end: int
) -> None:
    window = Growing(Batches(shape, history), least, most, samples)
    held = window.advance(end).held
    length = end - window.start
    assert least <= length <= most
    assert held >= samples or length == most
    if length > least and held >= samples:
        shorter = Growing(Batches(shape, history), length - 1, length - 1, 0)
        assert shorter.advance(end).held < samples


@pytest.mark.parametrize("n", [40, 200, 900, 3_000])
def test_the_interval_of_a_p75_holds_as_often_as_it_says(n: int) -> None:
    rng = random.Random(n)
    lower, upper = bounds.ranks(n, 0.75)
    held = 0
    for _ in range(1_000):
        values = sorted(rng.random() for _ in range(n))
        held += values[lower - 1] <= 0.75 <= values[upper - 1]
    assert 0.93 <= held / 1_000 <= 0.99


def figure(values: list[float], shape: Shape) -> Any:
    history = in_columns({0: [Entry(nr, v, 0, False, 0, 1, True, nr) for nr, v in enumerate(values)]})
    window = Growing(Batches(shape, history), 1, 1, 1)
    return window.advance(1).figure(5.0)


def test_few_values_have_no_lower_bound() -> None:
    assert figure([1.0, 2.0], Shape("newest", 0.75)).low is None
    assert figure([5.0] * 40, Shape("newest", 0.75)).low == 5.0


def test_a_share_of_none_still_has_an_upper_bound() -> None:
    found = figure([0.0] * 100, Shape("each", of="share"))
    assert found.value == found.low == 0
    assert 0.02 < found.high < 0.05
