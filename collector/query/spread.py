"""Spread: how far a figure may be from the true one, by chance: intervals that hold 95 times of 100.

Percentiles by order statistics (no shape of the data is assumed), shares by Wilson, ratios by their variance. Unequal
weights count as fewer observations (Kish's effective size). None: too few to bound it on that side.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

P75 = 0.75
CONFIDENCE = 0.95
Z = 1.959963984540054  # the normal distribution's 97.5 % point

Bounds = tuple[float | None, float | None]


def interval(sample: Sequence[tuple[float, int]], level: float = 0.75) -> Bounds:
    """Where the true quantile lies, from all values with their weights, sorted."""
    if not sample:
        return None, None
    total = sum(weight for _, weight in sample)
    size = round(total * total / sum(weight * weight for _, weight in sample))
    lower, upper = ranks(size, level)
    low = _at(sample, lower / size * total) if lower else None
    high = _at(sample, upper / size * total) if upper else None
    return low, high


@lru_cache(maxsize=4_096)
def ranks(n: int, level: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """The ranks (from 1) of the order statistics that bound a quantile of n values; 0: there is none."""
    tail = (1 - confidence) / 2
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


class Ladder(NamedTuple):
    """Levels around a level, in pairs of below and above: the first pair is as wide as the interval of `least` values, each
    further one `step` times as wide. Quantiles to ask for where the values are too many to be handed over."""

    least: int
    step: float
    steps: int

    def half_widths(self, level: float) -> list[float]:
        """How far each pair lies from the level."""
        widest = _half_width(level, self.least)
        return [widest * self.step**nr for nr in range(self.steps)]


FINE = Ladder(100, 0.8, 32)
# From a thousand values on, to a quarter of a million: at most twice as wide as need be, for a sixth of the levels.
COARSE = Ladder(1_000, 0.5, 5)


@lru_cache(maxsize=16)
def grid(level: float, ladder: Ladder = FINE) -> tuple[float, ...]:
    """The levels to ask for; `of_quantile` takes the pair that is just wide enough."""
    pairs = ((level - half, level + half) for half in ladder.half_widths(level))
    return tuple(min(max(one, 0.0), 1.0) for pair in pairs for one in pair)


def of_quantile(
    sample: Sequence[tuple[float, int]], found: Sequence[float], level: float, effective: float, ladder: Ladder = FINE
) -> Bounds:
    """A percentile's interval: from the values themselves, or from the quantiles at `grid(level, ladder)`."""
    if sample:
        return interval(sample, level)
    wanted = _half_width(level, effective)
    levels = grid(level, ladder)
    # Pairs shrink: the last that still covers the half-width is taken.
    nr = max((nr for nr, half in enumerate(ladder.half_widths(level)) if half >= wanted), default=None)
    if nr is None:
        return None, None
    low, high = found[2 * nr], found[2 * nr + 1]
    return (low if levels[2 * nr] > 0 else None), (high if levels[2 * nr + 1] < 1 else None)


def _half_width(level: float, n: float) -> float:
    return Z * math.sqrt(level * (1 - level) / n)


# The levels whose quantiles bound a p75, as SQL has them: what stands for `/* around */` in a query.
AROUND = ", ".join(f"{level:.9f}" for level in grid(P75, COARSE))


def of_share(share: float, effective: float) -> tuple[float, float]:
    """Wilson's interval: never outside 0 … 1, and right for shares near them."""
    return _wilson(share, effective)


def _wilson(share: float, effective: float) -> tuple[float, float]:
    middle = (share + Z * Z / (2 * effective)) / (1 + Z * Z / effective)
    half = (
        Z / (1 + Z * Z / effective) * math.sqrt(share * (1 - share) / effective + Z * Z / (4 * effective * effective))
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def of_ratio(amount: float, size: float, amount_squares: float, products: float, squares: float) -> Bounds:
    """A ratio of sums (requests for each view) by the linearised variance of its parts, all sums of squared weights."""
    ratio = amount / size
    variance = max(0.0, amount_squares - 2 * ratio * products + ratio * ratio * squares) / (size * size)
    half = Z * math.sqrt(variance)
    return max(0.0, ratio - half), ratio + half


def of_difference(one: float, one_n: float, other: float, other_n: float) -> tuple[float, float]:
    """The difference of two shares, by Newcombe's way of joining their Wilson intervals."""
    (low, high), (other_low, other_high) = _wilson(one, one_n), _wilson(other, other_n)
    below = math.hypot(one - low, other_high - other)
    above = math.hypot(high - one, other - other_low)
    return one - other - below, one - other + above
