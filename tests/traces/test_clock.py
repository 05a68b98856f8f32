"""Clocks: the true offset lies in the interval, a clock that was set is noticed, and one late span is not taken for that."""

import random
from collections.abc import Iterator

import pytest

from collector.query.trace import Pair
from collector.traces.clock import TAIL_MS, offsets

MS = 1_000_000
HOUR_MS = 3_600_000


def requests(
    rng: random.Random, n: int, offset_ms: float, start_ms: float = 0, drift: float = 0.0, way_ms: float = 40.0,
    late_ms: float = 0.5,
) -> Iterator[Pair]:  # fmt: skip
    """Requests of a session: ways there and back, work, and a span that is closed some time after its last byte."""
    at = start_ms
    for _ in range(n):
        at += rng.expovariate(1 / 8_000)
        there, back = rng.expovariate(1 / way_ms), rng.expovariate(1 / way_ms)
        work, late = rng.uniform(1, 120), rng.expovariate(1 / late_ms)
        server = at + there + offset_ms + drift * (at - start_ms)
        yield Pair("web-1", round(at * MS), round((at + there + work + back) * MS), round(server * MS),
                   round((server + work + late) * MS))  # fmt: skip


@pytest.mark.parametrize("way_ms", [0.2, 5.0, 60.0])
@pytest.mark.parametrize("offset_ms", [-120_000.0, -40.0, 0.0, 3_200.0, 120_000.0])
def test_the_true_offset_lies_in_the_interval_of_nearly_every_session(way_ms: float, offset_ms: float) -> None:
    inside, sessions = 0, 300
    rng = random.Random(f"{way_ms} {offset_ms}")
    for _ in range(sessions):
        found = offsets(requests(rng, rng.randrange(1, 40), offset_ms, way_ms=way_ms, late_ms=1.5))["web-1"]
        inside += found.low <= offset_ms <= found.high
        assert abs(-found.browser_ahead_ms - offset_ms) <= found.error_ms or not found.low <= offset_ms <= found.high
    assert inside >= 0.99 * sessions


def test_a_drifting_clock_is_not_one_that_was_set() -> None:
    rng = random.Random(3)
    pairs = list(requests(rng, 900, 500.0, drift=30e-6))
    assert pairs[-1].client_start_ns - pairs[0].client_start_ns > 1.5 * HOUR_MS * MS
    for pair in pairs[:: len(pairs) // 7]:
        true = 500.0 + 30e-6 * pair.client_start_ns / MS
        found = offsets(pairs, pair.client_start_ns)["web-1"]
        assert found.low <= true <= found.high
        assert not found.is_contradictory


@pytest.mark.parametrize("step_ms", [-90_000.0, -400.0, 400.0, 90_000.0])
def test_a_clock_that_was_set_is_noticed_and_each_side_has_its_own_offset(step_ms: float) -> None:
    rng = random.Random(8)
    before = list(requests(rng, 12, 1_000.0))
    after = list(requests(rng, 12, 1_000.0 + step_ms, start_ms=before[-1].client_start_ns / MS + 60_000))
    for side, true in ((before, 1_000.0), (after, 1_000.0 + step_ms)):
        found = offsets(before + after, side[5].client_start_ns)["web-1"]
        assert (found.steps, found.pairs) == (1, 12)
        assert found.low <= true <= found.high
        assert abs(found.stepped_ms - abs(step_ms)) < 100


def test_one_span_that_was_closed_late_moves_nothing() -> None:
    rng = random.Random(2)
    pairs = list(requests(rng, 20, 250.0))
    late = pairs[9]
    served = round(late.server_end_ns + 180 * MS)
    slow_way = round(late.client_end_ns + 150 * MS)  # long enough that the span still fits into its request
    pairs[9] = Pair("web-1", late.client_start_ns - 100 * MS, slow_way, late.server_start_ns, served)
    found = offsets(pairs)["web-1"]
    assert not found.is_contradictory
    assert found.low <= 250.0 <= found.high


def test_an_aborted_request_bounds_one_side_only() -> None:
    whole = Pair("web-1", 0, 100 * MS, 30 * MS, 80 * MS)
    cut = Pair("web-1", 500 * MS, 510 * MS, 540 * MS, 900 * MS, is_cut=True)
    found = offsets([whole, cut])["web-1"]
    assert found.low <= 0 <= found.high
    assert found.high < 33
    assert "web-1" not in offsets([cut]), "a request that nobody waited for bounds nothing by itself"


def test_a_page_out_of_a_cache_does_not_move_the_clock() -> None:
    fetches = list(requests(random.Random(4), 5, 100.0))
    stale = Pair("web-1", 0, 300 * MS, -HOUR_MS * MS, -HOUR_MS * MS + 50 * MS, is_load=True)
    found = offsets([stale, *fetches])["web-1"]
    assert found.low <= 100.0 <= found.high
    assert not found.is_contradictory


def test_the_stated_error_is_as_small_as_the_ways_allow() -> None:
    found = offsets(requests(random.Random(5), 40, 0.0, way_ms=20.0))["web-1"]
    assert found.error_ms < 20 + TAIL_MS
