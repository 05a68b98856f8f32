"""The machine by itself: whatever is measured, in whatever order, these things hold."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.rules import Rule
from collector.alerts.state import Flip, Measurement, State, fail, step
from collector.alerts.text import read

START = datetime(2026, 11, 2, 10, tzinfo=UTC)
STEP = timedelta(minutes=5)
(RULE,) = read("""
- {id: lcp, metric: lcp, aggregate: p75, where: {app: shop}, window: {samples: 200, min: 5m, max: 1h},
   fire: {above: 2500, min_users: 10, for: 3}, clear: {below: 2300, for: 4}, no_data: {after: 20m}}
""")
SEEN = st.sampled_from(["bad", "good", "between", "few", "silent", "error", "few users"])


def measured(what: str, at: datetime) -> Measurement:
    low, value = {"bad": (2_600.0, 2_900.0), "few users": (2_600.0, 2_900.0), "between": (2_200.0, 2_400.0)}.get(
        what, (1_900.0, 2_000.0)
    )
    return Measurement(
        at, at - STEP, value, low, value + 200, 300, 200, 4 if what == "few users" else 50 if what == "bad" else 0,
        2_500.0, 2_300.0, at - timedelta(hours=1) if what == "silent" else at, what != "few",
    )  # fmt: skip


def run(seen: list[str], rule: Rule = RULE) -> list[Flip]:
    state, flips, at = State(), [], START
    for what in seen:
        at += STEP
        flip = fail(rule, (), state, at, "no") if what == "error" else step(rule, (), state, measured(what, at))
        if flip:
            state = flip.state
            flips.append(flip)
    return flips


def names(seen: list[str]) -> list[str]:
    return [flip.after for flip in run(seen)]


def test_the_life_of_an_alert() -> None:
    assert names(["few", "good", "bad", "bad", "bad", "good", "good", "good", "good"]) == [
        "ok", "pending", "firing", "recovering", "ok",
    ]  # fmt: skip


def test_one_bad_window_wakes_nobody_and_neither_do_few_users() -> None:
    assert names(["good", "bad", "bad", "good", "bad", "bad", "good"]) == ["ok", "pending", "ok", "pending", "ok"]
    assert names(["good", *["few users"] * 9]) == ["ok"]


def test_between_the_limits_what_fires_goes_on() -> None:
    assert names(["bad"] * 3 + ["between"] * 9 + ["good", "between", "bad"]) == [
        "pending", "firing", "recovering", "firing",
    ]  # fmt: skip
    assert len({flip.fired_at for flip in run(["bad"] * 3 + ["good", "bad"]) if flip.fired_at}) == 1


def test_silence_and_errors_are_states_and_no_all_clear() -> None:
    assert names(["good", "silent", "silent", "good"]) == ["ok", "no_data", "ok"]
    assert names(["bad"] * 3 + ["error", "bad"]) == ["pending", "firing", "error", "firing"]
    assert names(["bad"] * 3 + ["silent", "few"]) == ["pending", "firing", "no_data", "firing"]
    assert [flip.after for flip in run(["bad"] * 3 + ["error"] + ["good"] * 4)] == [
        "pending", "firing", "error", "recovering", "ok",
    ]  # fmt: skip


@given(st.lists(SEEN, max_size=80))
def test_whatever_comes(seen: list[str]) -> None:
    flips = run(seen)
    moments = [START + (nr + 1) * STEP for nr in range(len(seen))]
    was_at = dict(zip(moments, seen, strict=True))
    assert [flip.seq for flip in flips] == list(range(1, len(flips) + 1))
    for before, after in zip([None, *flips], flips, strict=False):
        assert after.before == (before.after if before else "learning")
        assert after.before != after.after
        if after.after == "firing" and after.fired_at == after.at:
            last = [was_at[after.at - nr * STEP] for nr in range(RULE.fire_for)]
            assert last == ["bad"] * RULE.fire_for, "nothing fires but for as long as the rule says"
        if after.after == "ok":
            assert was_at[after.at] in ("good", "between", "few users")
            assert not (after.fired_at and was_at[after.at] != "good"), (
                "nothing that fired is called off without a good number"
            )
        if was_at[after.at] == "error":
            assert after.after == "error"


@given(st.lists(SEEN, max_size=60), st.integers(0, 60))
def test_a_state_is_all_it_remembers(seen: list[str], cut: int) -> None:
    """Whoever reads the last flip from the store goes on exactly where the other one stopped."""
    flips = run(seen)
    state, at, again = State(), START, []
    for nr, what in enumerate(seen):
        at += STEP
        if nr == cut and again:
            last = again[-1]
            state = State(
                last.after, last.at, last.seq, last.fired_at if last.after not in ("ok", "learning") else None
            )
        flip = fail(RULE, (), state, at, "no") if what == "error" else step(RULE, (), state, measured(what, at))
        if flip:
            state = flip.state
            again.append(flip)
    assert again == flips
