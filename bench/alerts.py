"""How often the default rule wakes somebody for nothing, and how soon it wakes somebody for a regression; prints JSON.

A page's p75 LCP is 2.1 s, the limit 2.5 s. A healthy week has a daily rhythm of traffic (five times more by day than by
night) and of latency, a level that wanders (autocorrelated over hours), and log-normal values. The rule's own window, bounds
and machine look at it every five minutes; beside it the plain rule "p75 over the limit, every five minutes".

    python -m bench.alerts [--weeks 40] [--regressions 200] [--seed 1]
"""

import argparse
import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from collector.alerts.bounds import ranks
from collector.alerts.rules import Rule
from collector.alerts.state import Flip, Measurement, State, step
from collector.alerts.text import read

(RULE,) = read("{id: lcp, metric: lcp, aggregate: p75, where: {app: shop}, fire: {above: 2500, min_users: 10}}")
START = datetime(2026, 11, 2, tzinfo=UTC)
WEEK, DAY = 2_016, 288
HEALTHY, WORSE, LIMIT = 2_100.0, 3_000.0, 2_500.0
SIGMA = 0.5  # of the logarithm; an LCP's usual spread
WANDER, MEMORY = 0.04, 0.98  # of the level: 4 %, with a correlation of 0.98 from one five minutes to the next
RHYTHM = 0.03  # slower by so much in the evening


def level(rng: np.random.Generator, steps: int) -> np.ndarray:
    """The true p75 of each five minutes of a healthy page."""
    noise = rng.normal(0, WANDER * math.sqrt(1 - MEMORY**2), steps)
    wander = np.empty(steps)
    wander[0] = rng.normal(0, WANDER)
    for nr in range(1, steps):
        wander[nr] = MEMORY * wander[nr - 1] + noise[nr]
    return HEALTHY * np.exp(wander + RHYTHM * np.sin(2 * np.pi * np.arange(steps) / DAY))


def traffic(rng: np.random.Generator, p75: np.ndarray, per_step: float) -> list[np.ndarray]:
    """The values of each five minutes."""
    rhythm = 1 + 2 / 3 * np.sin(2 * np.pi * (np.arange(len(p75)) - 96) / DAY)
    counts = rng.poisson(per_step * rhythm)
    return [top * np.exp(rng.normal(-0.6745 * SIGMA, SIGMA, n)) for top, n in zip(p75, counts, strict=True)]


def run(rule: Rule, steps: list[np.ndarray]) -> list[Flip]:
    """The rule over a course of five minutes each."""
    counts = [len(values) for values in steps]
    most = rule.window.max.seconds // rule.every.seconds
    state, flips, start = State(), [], 0
    for end in range(1, len(steps) + 1):
        held = sum(counts[start:end])
        while end - start > 1 and (held - counts[start] >= rule.window.samples or end - start > most):
            held -= counts[start]
            start += 1
        while start > 0 and held < rule.window.samples and end - start < most:
            start -= 1
            held += counts[start]
        at = START + end * rule.every.delta
        flip = step(rule, (), state, measured(rule, np.concatenate(steps[start:end]), at))
        if flip:
            state = flip.state
            flips.append(flip)
    return flips


def measured(rule: Rule, values: np.ndarray, at: datetime) -> Measurement:
    """The p75 of a window with its interval, as the evaluator has it."""
    n = len(values)
    if not n:
        return Measurement(at, at)
    lower, upper = ranks(n, 0.75, rule.fire.confidence)
    ordered = np.sort(values)
    low = float(ordered[lower - 1]) if lower else None
    high = float(ordered[upper - 1]) if upper else None
    value = float(ordered[min(n, math.ceil(0.75 * n + 1e-9)) - 1])
    beyond = int((values > LIMIT).sum())
    return Measurement(at, at, value, low, high, n, n, beyond, LIMIT, rule.clear_at, at, n >= 40)


def plain(steps: list[np.ndarray]) -> int:
    """How often a plain rule begins to fire: the p75 of each five minutes by itself."""
    over = [len(values) > 0 and float(np.quantile(values, 0.75)) > LIMIT for values in steps]
    return sum(now and not before for before, now in zip([False, *over], over, strict=False))


def fires(flips: list[Flip]) -> list[datetime]:
    """When each episode began."""
    return [flip.at for flip in flips if flip.after == "firing" and flip.fired_at == flip.at]


def healthy(rng: np.random.Generator, per_step: float, weeks: int) -> dict[str, Any]:
    """False fires in healthy weeks, of the default rule and of the plain one."""
    ours = theirs = 0
    for _ in range(weeks):
        steps = traffic(rng, level(rng, WEEK), per_step)
        ours += len(fires(run(RULE, steps)))
        theirs += plain(steps)
    return {"views_per_5_min": per_step, "weeks": weeks, "per_week": ours / weeks, "plain_per_week": theirs / weeks}


def regressions(rng: np.random.Generator, per_step: float, times: int) -> dict[str, Any]:
    """How soon 2.1 → 3.0 s is noticed, from the moment it begins."""
    waits = []
    for _ in range(times):
        before, after = int(rng.integers(24, 60)), 12
        p75 = level(rng, before + after)
        p75[before:] *= WORSE / HEALTHY
        # The time of day is noon: the traffic is what the line says.
        steps = [
            top * np.exp(rng.normal(-0.6745 * SIGMA, SIGMA, n))
            for top, n in zip(p75, rng.poisson(per_step, len(p75)), strict=True)
        ]
        began = START + before * RULE.every.delta
        waits.append(
            min([(at - began).total_seconds() / 60 for at in fires(run(RULE, steps)) if at > began] or [math.inf])
        )
    found = sorted(waits)
    return {
        "views_per_5_min": per_step, "times": times, "within_20_min": sum(w <= 20 for w in waits) / times,
        "median_min": found[times // 2] if found[times // 2] < math.inf else None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=40)
    parser.add_argument("--regressions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print(json.dumps({
        "healthy": [healthy(rng, n, options.weeks) for n in (5, 20, 100, 200)],
        "regressed": [regressions(rng, n, options.regressions) for n in (50, 200)],
        "promised": {"false_fires_per_week": 0.1, "within_20_min_at_200": 0.75},
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
