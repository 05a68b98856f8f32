"""Rules: what a rule may say, as typed things. Reading them from text is the business of `text`.

A rule watches one number (metric, aggregate, where, group_by: the words of a question) and says when it is bad, when it
is good again, and how much data either takes.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property, total_ordering
from typing import Literal

import msgspec

KINDS = ("threshold", "change", "release", "burn", "new_error", "feed_burst")
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@total_ordering
class Span:
    """A length of time, written `90s`, `5m`, `6h`, `3d` or `2w`."""

    __slots__ = ("delta", "seconds")

    def __init__(self, text: str) -> None:
        found = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip()) if isinstance(text, str) else None
        if not found or not int(found[1]):
            raise ValueError("not a length of time")
        self.seconds = int(found[1]) * UNITS[found[2]]
        self.delta = timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        unit = next(u for u in ("w", "d", "h", "m", "s") if self.seconds % UNITS[u] == 0)
        return f"{self.seconds // UNITS[unit]}{unit}"

    def __repr__(self) -> str:
        return f"Span({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and self.seconds == other.seconds

    def __lt__(self, other: "Span") -> bool:
        return self.seconds < other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)


class Moment:
    """A moment, written `2026-11-03T10:00Z`; without a zone it is UTC."""

    __slots__ = ("at",)

    def __init__(self, text: str) -> None:
        found = datetime.fromisoformat(text)
        self.at = found if found.tzinfo else found.replace(tzinfo=UTC)

    def __str__(self) -> str:
        return self.at.isoformat().replace("+00:00", "Z")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.at == other.at

    def __hash__(self) -> int:
        return hash(self.at)


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Grows from `min` until it holds `samples` values, to `max` at most; ends at the watermark."""

    samples: int = 200
    min: Span | None = None  # 5m, or one step where steps are longer
    max: Span = Span("24h")


class Fire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it is bad: beyond a limit with this confidence, for so many evaluations, for so many users."""

    above: float | None = None
    below: float | None = None
    more_by: float | None = None  # a share: 0.25 is a quarter more than before
    confidence: Literal[90, 95, 99] = 95
    min_users: int = 5
    for_: int | None = msgspec.field(default=None, name="for")


class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it is good again."""

    below: float | None = None
    above: float | None = None
    for_: int | None = msgspec.field(default=None, name="for")


class NoData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long nothing may come before that is worth a notice."""

    after: Span


class Burn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two windows over which the budget is used up so many times faster than it may be."""

    rate: float
    long: Span
    short: Span


BURNS = (
    Burn(14.4, Span("1h"), Span("5m")),
    Burn(6.0, Span("6h"), Span("30m")),
    Burn(1.0, Span("3d"), Span("6h")),
)


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What a rule ought to have done on history, for `farside rules test`."""

    from_: Moment
    to: Moment
    expect: Literal["firing", "ok", "no_data"]
    group: dict[str, str] = {}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One rule, as its text says it, defaults filled in."""

    id: str
    where: dict[str, str | list[str]]
    kind: Literal["threshold", "change", "release", "burn", "new_error", "feed_burst"] = "threshold"
    title: str = ""
    about: str = ""
    owner: str = ""
    enabled: bool = True
    metric: str = ""
    aggregate: str = ""
    group_by: list[str] = []
    groups: int = 50
    every: Span = Span("5m")
    window: Window = Window()
    fire: Fire = Fire()
    clear: Clear = Clear()
    no_data: NoData | None = None
    weeks: int = 3
    objective: float | None = None
    burns: tuple[Burn, ...] = BURNS
    new_for: Span = Span("24h")
    notify: list[str] = []
    repeat: Span = Span("4h")
    tests: list[Expectation] = []

    @property
    def app(self) -> str:
        """The app it watches."""
        return str(self.where["app"])

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title or self.id

    @cached_property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """`where` as pairs of field and text, without the app."""
        return tuple(
            (field, text)
            for field, texts in self.where.items()
            if field != "app"
            for text in ([texts] if isinstance(texts, str) else texts)
        )

    @cached_property
    def least(self) -> Span:
        """The shortest window."""
        return self.window.min or max(Span("5m"), self.every)

    @cached_property
    def is_grouped(self) -> bool:
        """Whether it has a state for each of many groups."""
        return bool(self.group_by) or self.kind == "new_error"

    @cached_property
    def is_upward(self) -> bool:
        """Whether more is worse."""
        return self.fire.below is None

    @cached_property
    def clear_at(self) -> float | None:
        """Where it is good again: as said, else eight hundredths inside the limit."""
        limit = self.fire.above if self.is_upward else self.fire.below
        said = self.clear.below if self.is_upward else self.clear.above
        if said is not None or limit is None:
            return said
        return limit * (0.92 if self.is_upward else 1.08)

    @cached_property
    def fire_for(self) -> int:
        """For how many evaluations it must be bad: three, or one where the kind has its own patience."""
        return self.fire.for_ or (1 if self.kind in ("burn", "new_error") else 3)

    @cached_property
    def clear_for(self) -> int:
        """For how many evaluations it must be good again."""
        return self.clear.for_ or (1 if self.kind == "new_error" else 6)

    @cached_property
    def silence_after(self) -> timedelta:
        """How long nothing may come before the state says so."""
        return self.no_data.after.delta if self.no_data else self.longest

    @cached_property
    def longest(self) -> timedelta:
        """How far back it looks."""
        if self.kind == "burn":
            return max(burn.long for burn in self.burns).delta
        return self.new_for.delta if self.kind == "new_error" else self.window.max.delta

    def step_before(self, moment: datetime) -> datetime:
        """The last moment at which it is evaluated, not after `moment`: whole multiples of `every` since 1970."""
        seconds = int(moment.timestamp()) // self.every.seconds * self.every.seconds
        return datetime.fromtimestamp(seconds, UTC)
