"""Bounds: between which two numbers the true one lies, with the confidence a rule asks for.

A rule fires when the whole interval lies beyond the limit, so these are what keeps it quiet. Percentiles by order
statistics (no shape of the data is assumed), shares by Wilson's interval, means by their variance.
"""

import math
from functools import lru_cache

from collector.query import spread

Z = {90: 1.6449, 95: 1.9600, 99: 2.5758}
EXACT_UP_TO = 1_000


@lru_cache(maxsize=20_000)
def ranks(n: int, level: float, confidence: int = 95) -> tuple[int, int]:
    """The ranks (from 1) of the order statistics that bound a quantile of n values; 0: there is none."""
    if n > EXACT_UP_TO:
        around = Z[confidence] * math.sqrt(n * level * (1 - level))
        lower, upper = math.floor(n * level - around), math.ceil(n * level + around) + 1
        return max(lower, 0), upper if upper <= n else 0
    return spread.ranks(n, level, confidence / 100)


def of_share(part: float, n: float, confidence: int = 95) -> tuple[float, float]:
    """A share of `part` in all, found among n: Wilson's interval."""
    z = Z[confidence]
    middle = (part + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(0.0, part * (1 - part)) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_mean(mean: float, mean_square: float, n: int, confidence: int = 95) -> tuple[float, float]:
    """A mean of n values, from it and the mean of their squares."""
    half = Z[confidence] * math.sqrt(max(0.0, mean_square - mean * mean) / max(1, n - 1))
    return mean - half, mean + half
