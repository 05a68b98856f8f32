"""Releases: who runs which, when one took effect, and how it does beside the one before it, at the same hours."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from collector.query.question import EPOCH, Question, ask, milliseconds
from collector.query.spread import of_share
from collector.query.vitals import LIMITS, Percentile, percentile
from collector.query.weights import ask_weighing
from collector.store import Store

SLICES = 60
RELEASES = 40
ROUTES = 15
LEVELS = (0.50, 0.95, 0.99)
FEWEST = 20  # views; fewer say nothing about shares
NEWEST = 100  # views that say who runs what now
DAY_MS = 86_400_000
MINUTE = timedelta(minutes=1)
BACK = timedelta(days=7)  # the release before is looked for at the same hours of so many days


@dataclass(frozen=True, slots=True)
class Release:
    """One release in the question's time. `slices`: number of slice → views; `share`: of the newest views; `began_at`:
    its first view ever, as far as is kept.

    `effect` is, for each of LEVELS, from when on that share of all views ran it, None while it never did, or did so before
    the question's time.
    """

    name: str
    views: int
    began_at: datetime
    slices: dict[int, int]
    share: float
    effect: tuple[datetime | None, ...]

    @property
    def took(self) -> tuple[timedelta | None, ...]:
        """How long after its first view."""
        return tuple(moment - self.began_at if moment else None for moment in self.effect)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many views, with the 95 % interval of the share (Wilson's, sound for small numbers too)."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the true share lies, 95 times of 100."""
        return of_share(self.value, self.whole) if self.whole else (0.0, 1.0)

    def differs(self, other: "Share") -> bool:
        """Whether the two are apart by more than chance."""
        (low, high), (other_low, other_high) = self.bounds, other.bounds
        return low > other_high or high < other_low


@dataclass(frozen=True, slots=True)
class Pair:
    """One vital of one route (empty: all routes), in the release before and in this one."""

    vital: str
    route: str
    old: Percentile | None
    new: Percentile | None

    @property
    def verdict(self) -> str:
        """`worse`, `better`, `same` (no clear change), or `unknown` where there are too few views on a side."""
        if not self.old or not self.new or not (self.old.is_enough and self.new.is_enough):
            return "unknown"
        if not self.new.differs(self.old):
            return "same"
        return "worse" if self.new.value > self.old.value else "better"


@dataclass(frozen=True, slots=True)
class Failing:
    """Views that met an error, in the release before and in this one, for one route (empty: all)."""

    route: str
    old: Share
    new: Share

    @property
    def verdict(self) -> str:
        """As of a Pair."""
        if min(self.old.whole, self.new.whole) < FEWEST:
            return "unknown"
        if not self.new.differs(self.old):
            return "same"
        return "worse" if self.new.value > self.old.value else "better"


@dataclass(frozen=True, slots=True)
class Beside:
    """A release beside another, over `hours` of each day; the other at the same hours of BACK."""

    old: str
    new: str
    since: datetime
    pairs: list[Pair]
    failing: list[Failing]
    is_any_hour: bool = False

    @property
    def old_views(self) -> int:
        """How many views the old release is judged by."""
        return max((row.old.whole for row in self.failing if not row.route), default=0)


def release_views(store: Store, question: Question) -> list[Release]:
    """Releases of the question's time in SLICES of it, the newest first."""
    return _releases(store, question, question.since, question.span / SLICES)


def adoptions(store: Store, question: Question) -> list[Release]:
    """The same in slices that are short, and lie where they lie whatever is asked and whenever: what took effect at some
    moment did so at that moment for all time."""
    return _releases(store, question, EPOCH, MINUTE if question.span <= BACK else 5 * MINUTE)


def _releases(store: Store, question: Question, origin: datetime, length: timedelta) -> list[Release]:
    # Rounded up, or a last sliver would be a slice too many.
    slice_ms = max(1, ceil(length / timedelta(milliseconds=1)))
    rows = ask(store, "release_views", question, from_ms=milliseconds(origin), slice_ms=slice_ms, limit=RELEASES)
    totals: Counter[int] = Counter()
    for row in rows:
        totals.update(row["slices"])
    numbers = sorted(totals)
    newest = _newest(numbers, totals)
    found = [
        Release(
            row["release"],
            row["views"],
            row["began_at"],
            row["slices"],
            sum(row["slices"].get(nr, 0) for nr in newest) / max(1, sum(totals[nr] for nr in newest)),
            tuple(
                max(row["began_at"], origin + nr * timedelta(milliseconds=slice_ms)) if nr is not None else None
                for nr in _effect(row["slices"], totals, numbers)
            )
            if row["began_at"] > question.since
            else (None,) * len(LEVELS),
        )
        for row in rows
    ]
    return sorted(found, key=lambda release: release.began_at, reverse=True)


def _newest(numbers: list[int], totals: Mapping[int, int]) -> list[int]:
    """The last slices, as many as hold NEWEST views."""
    found: list[int] = []
    views = 0
    for nr in reversed(numbers):
        found.append(nr)
        views += totals[nr]
        if views >= NEWEST:
            break
    return found


def _effect(slices: Mapping[int, int], totals: Mapping[int, int], numbers: list[int]) -> list[int | None]:
    """For each of LEVELS, where the first stretch begins, of FEWEST views at least, in which this share ran the release."""
    found: list[int | None] = []
    own = whole = 0
    begin = None
    for nr in numbers[bisect_left(numbers, min(slices)) :]:
        begin = nr if begin is None else begin
        own, whole = own + slices.get(nr, 0), whole + totals[nr]
        if whole < FEWEST:
            continue
        while len(found) < len(LEVELS) and own >= LEVELS[len(found)] * whole:
            found.append(begin)
        if len(found) == len(LEVELS):
            return found
        own = whole = 0
        begin = None
    return found + [None] * (len(LEVELS) - len(found))


def before(releases: Sequence[Release], new: str) -> str:
    """The release that most views ran before `new` came; empty when there is none."""
    begun = next((release.began_at for release in releases if release.name == new), None)
    older = [release for release in releases if begun and release.began_at < begun]
    return max(older, key=lambda release: (release.views, release.began_at)).name if older else ""


def beside(store: Store, question: Question, old: str, new: str, since: datetime) -> Beside:
    """Both releases from `since` to the question's end: the new one then, the old one then and at the same hours of the
    days before, so that a night is not compared with a noon; at any hour where it had too few views at these."""
    start = max(since, question.since)
    length_ms = max(1, milliseconds(question.until) - milliseconds(start))
    found = _beside(store, question, old, new, start, length_ms)
    if found.old_views < FEWEST:  # as in a system's first days
        return replace(_beside(store, question, old, new, start, DAY_MS), is_any_hour=True)
    return found


def _beside(store: Store, question: Question, old: str, new: str, start: datetime, length_ms: int) -> Beside:
    bound = {
        "old": old, "new": new, "from_ms": milliseconds(start), "since_ms": milliseconds(start - BACK),
        "length_ms": length_ms,
    }  # fmt: skip
    rows = ask_weighing(store, "release_vitals", question, **bound, routes=ROUTES)
    sides = {(row["route"], row["name"], row["release"]): percentile(row, "") for row in rows if row["n"]}
    routes = list(dict.fromkeys(row["route"] for row in rows))
    pairs = [
        Pair(name, route, sides.get((route, name, old)), sides.get((route, name, new)))
        for route in sorted(routes, key=lambda route: route != "")
        for name in LIMITS
        if (route, name, old) in sides or (route, name, new) in sides
    ]
    failed = ask(store, "release_errors", question, **bound, routes=ROUTES)
    shares = {(row["route"], row["release"]): Share(row["failed"], row["views"]) for row in failed}
    failing = [
        Failing(route, shares.get((route, old), Share(0, 0)), shares.get((route, new), Share(0, 0)))
        for route in dict.fromkeys(row["route"] for row in failed)
    ]
    return Beside(old, new, start, pairs, sorted(failing, key=lambda row: row.route != ""))
