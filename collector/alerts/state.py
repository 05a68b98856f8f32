"""State: the pure machine. A rule, a group's state and a measurement go in; a flip comes out, or nothing.

No clock, no store: `at` is the moment the measurement ends at, and a state is only a name and the moments it has to
remember. Whoever feeds it the same measurements gets the same flips, hence the backtest.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from collector.alerts.rules import Rule

LEARNING, OK, PENDING, FIRING, RECOVERING = "learning", "ok", "pending", "firing", "recovering"
NO_DATA, ERROR = "no_data", "error"
STATES = (LEARNING, OK, PENDING, FIRING, RECOVERING, NO_DATA, ERROR)


class Measurement(msgspec.Struct, frozen=True):
    """One number over a window that ends at `at`: where it surely lies, what it rests on, and the limit in force."""

    at: datetime
    since: datetime
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    users: int = 0
    users_beyond: int = 0
    limit: float | None = None
    clear_at: float | None = None
    newest: datetime | None = None
    is_enough: bool = False
    note: str = ""
    narrowed: tuple[tuple[str, str], ...] = ()  # by what the question was narrowed besides the group


@dataclass(frozen=True, slots=True)
class State:
    """Where a rule stands for one group: since when, how many flips so far, and since when this episode fires."""

    name: str = LEARNING
    since: datetime | None = None
    seq: int = 0
    fired_at: datetime | None = None

    @property
    def is_firing(self) -> bool:
        """Whether somebody has been told, or is about to be."""
        return self.fired_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing is lost when the group is looked at no more."""
        return not self.is_firing and self.name in (OK, LEARNING, NO_DATA)


NEW = State()


@dataclass(frozen=True, slots=True)
class Flip:
    """One change of state, with the measurement that caused it; `problem` says why there was none."""

    rule: str
    group: tuple[tuple[str, str], ...]
    seq: int
    at: datetime
    before: str
    after: str
    fired_at: datetime | None
    measurement: Measurement | None
    problem: str = ""

    @property
    def token(self) -> str:
        """What makes a second insert of the same flip a no-op."""
        return f"{self.rule}/{key_of(self.group)}/{self.seq}"

    @property
    def state(self) -> State:
        """The state it leads to."""
        return State(self.after, self.at, self.seq, None if self.after in (OK, LEARNING) else self.fired_at)


def key_of(group: tuple[tuple[str, str], ...]) -> str:
    """A group as text: `route=/checkout/pay, device=mobile`."""
    return ", ".join(f"{name}={value}" for name, value in group)


def step(rule: Rule, group: tuple[tuple[str, str], ...], state: State, found: Measurement) -> Flip | None:
    """What one measurement does to a state."""
    return _flip(rule, group, state, _next(rule, state, found), found.at, found)


def fail(rule: Rule, group: tuple[tuple[str, str], ...], state: State, at: datetime, problem: str) -> Flip | None:
    """A question that could not be answered: an error is never ok."""
    flip = _flip(rule, group, state, ERROR, at, None)
    return replace(flip, problem=problem[:1_000]) if flip else None


def is_bad(rule: Rule, found: Measurement) -> bool:
    """Whether the number lies beyond its limit for sure, and for users enough."""
    if found.limit is None or found.users_beyond < rule.fire.min_users:
        return False
    if rule.is_upward:
        return found.low is not None and found.low > found.limit
    return found.high is not None and found.high < found.limit


def is_good(rule: Rule, found: Measurement) -> bool:
    """Whether the number itself is on the good side of where it clears."""
    if found.value is None or found.clear_at is None:
        return True
    return found.value < found.clear_at if rule.is_upward else found.value > found.clear_at


def _next(rule: Rule, state: State, found: Measurement) -> str:
    if found.newest is None or found.at - found.newest > rule.silence_after:
        return _when_silent(rule, state)
    if not found.is_enough:
        return FIRING if state.name in (ERROR, NO_DATA) and state.is_firing else _when_few(state)
    if is_bad(rule, found):
        return _when_bad(rule, state, found.at)
    if is_good(rule, found):
        return _when_good(rule, state, found.at)
    # Between the two limits: what fires goes on, what was only pending is over.
    return FIRING if state.is_firing else OK


def _when_silent(rule: Rule, state: State) -> str:
    if rule.kind == "new_error":  # no more of it is what one hopes for
        return OK
    return LEARNING if state.name == LEARNING else NO_DATA


def _when_few(state: State) -> str:
    return state.name if state.is_firing else LEARNING


def _when_bad(rule: Rule, state: State, at: datetime) -> str:
    if state.is_firing:
        return FIRING
    if rule.fire_for <= 1:
        return FIRING
    if state.name != PENDING or state.since is None:
        return PENDING
    return FIRING if at - state.since >= (rule.fire_for - 1) * rule.every.delta else PENDING


def _when_good(rule: Rule, state: State, at: datetime) -> str:
    if not state.is_firing or rule.clear_for <= 1:
        return OK
    if state.name != RECOVERING or state.since is None:
        return RECOVERING
    return OK if at - state.since >= (rule.clear_for - 1) * rule.every.delta else RECOVERING


def _flip(
    rule: Rule, group: tuple[tuple[str, str], ...], state: State, after: str, at: datetime, found: Measurement | None
) -> Flip | None:
    if after == state.name:
        return None
    fired_at = state.fired_at or (at if after == FIRING else None)
    return Flip(rule.id, group, state.seq + 1, at, state.name, after, fired_at, found)
