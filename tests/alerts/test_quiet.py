"""Why a rule does not fire, said for each of the reasons there are."""

from datetime import timedelta
from typing import Any

import pytest

from collector.alerts.sense import fewest
from collector.alerts.state import PENDING, Measurement, State
from collector.alerts.text import read
from collector.notify.quiet import reason
from tests.alerts.conftest import NOW

RULE, LACK, NEW_ERROR, BURN = read("""
- {id: lcp, metric: lcp, aggregate: p75, where: {app: demo}, fire: {above: 2500, min_users: 5}}
- {id: views, metric: views, aggregate: count, where: {app: demo}, window: {min: 30m, max: 30m}, fire: {below: 10}}
- {id: new, metric: errors, aggregate: count, where: {app: demo}, kind: new_error, fire: {min_users: 3}}
- {id: burn, kind: burn, metric: error_rate, objective: 99, where: {app: demo}}
""")


def measured(**more: Any) -> Measurement:
    told = {
        "value": 3_000.0,
        "low": 2_800.0,
        "high": 3_200.0,
        "n": 400,
        "users": 90,
        "users_beyond": 40,
        "limit": 2_500.0,
    }
    return Measurement(NOW, NOW - timedelta(minutes=15), newest=NOW, is_enough=True, **(told | more))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "nothing was received lately"),
        (Measurement(NOW, NOW), "nothing was received lately"),
        (Measurement(NOW, NOW, n=500, newest=NOW - timedelta(days=3)), "nothing was received lately"),
        (Measurement(NOW, NOW, n=12, newest=NOW), "too few to tell: 12 of at least 40"),
        (Measurement(NOW, NOW, n=90, newest=NOW, note="no earlier week yet"), "no earlier week yet"),
        (measured(limit=None, note="no new release"), "no new release"),
        (measured(value=2_400.0, low=2_300.0), "not above 2.5 s"),
        (measured(low=2_300.0), "may be chance: the true value may be 2.3 s, and the limit is 2.5 s"),
        (measured(users_beyond=1), "above 2.5 s for 1 user only; it takes 5"),
        (measured(), "above 2.5 s at the last look"),
    ],
)  # fmt: skip
def test_a_rule_says_why_it_does_not_fire(found: Measurement | None, said: str) -> None:
    assert reason(RULE, State(), found) == said


def test_a_rule_that_is_about_to_fire_says_when() -> None:
    said = reason(RULE, State(PENDING, NOW - timedelta(minutes=5)), measured())
    assert said == "fires when 3 looks in a row find it so; it is looked at every 5m"


def test_a_budget_that_burnt_and_burns_no_more_is_not_called_chance() -> None:
    burnt = measured(value=0.45, low=0.144, high=0.5, limit=0.144, users_beyond=0)
    assert reason(BURN, State(), burnt) == "above 14.4 %, but of late it is no longer"
    assert reason(BURN, State(), measured(value=None, low=None, high=None, limit=0.144)) == "there is no value yet"


def test_a_rule_about_too_few_and_one_about_new_errors() -> None:
    lack = measured(value=14.0, low=14.0, high=14.0, limit=10.0)
    assert reason(LACK, State(), lack) == "not below 10"
    assert (
        reason(NEW_ERROR, State(), None)
        == "no error is new to 3 users or more; none counts as new until an app is 1d old"
    )


def test_ten_values_lie_beyond_a_percentile_that_is_spoken_of() -> None:
    rule = "{{id: lcp, metric: lcp, aggregate: {}, where: {{app: demo}}, fire: {{above: 1}}}}"
    levels = {"p50": 20, "p75": 40, "p90": 100, "p95": 200, "p99": 1_000}
    assert {level: fewest(read(rule.format(level))[0]) for level in levels} == levels
