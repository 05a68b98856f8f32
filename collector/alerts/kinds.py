"""Kinds: what each kind of rule makes of a group's buckets at one moment: a number, its bounds, and the limit in force."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from statistics import median
from typing import Any

from msgspec.structs import replace

from collector.alerts.batches import Batches, Shape
from collector.alerts.entries import Entries, together
from collector.alerts.growing import Growing
from collector.alerts.rules import Rule
from collector.alerts.sense import aggregate, fewest, metric
from collector.alerts.state import Measurement
from collector.alerts.windows import Figure, Sliding
from collector.query.metrics import LEVELS

WEEK = timedelta(weeks=1)
QUIET = timedelta(days=14)
LEAD = 1 / 144  # of the time it is new for (ten minutes of a day), another release must have been there before it
EVERYBODY = 1_000_000_000


def shape_of(rule: Rule) -> Shape:
    """How a rule's metric and aggregate are computed from buckets."""
    known, asked = metric(rule), aggregate(rule)
    is_flag = known.unit == "share" and known.source != "events"
    combine = {"vitals": "newest", "units": "sum", "events": "each"}[known.source]
    if is_flag or known.name in ("sessions", "users"):
        combine = "most"
    if asked == "count":
        of = "count" if known.is_count or known.unit == "share" else "size"
    elif known.is_count:
        of = "per_minute"
    else:
        of = "share" if known.unit == "share" and asked == "rate" else asked
    limit = known.limit
    edges = {"poor": limit.poor, "good": limit.good} if limit else {}
    return Shape(combine, LEVELS.get(asked, 0.0), of=of, confidence=rule.fire.confidence, **edges)


@dataclass
class Track:
    """One group: its buckets, and the windows that have slid over them so far."""

    rule: Rule
    begin: datetime
    by_release: dict[str, Entries] = field(
        default_factory=dict
    )  # or all of them under "", where releases are not told apart
    windows: dict[object, Growing] = field(default_factory=dict)
    app_since: datetime | None = None  # when the app first sent anything, as far as the rule looks back

    @cached_property
    def silence(self) -> int:
        """After how many steps without anything it is silent."""
        return -(-self.rule.silence_after // self.rule.every.delta)

    @cached_property
    def fewest(self) -> int:
        """How many values it takes to speak of the number."""
        return fewest(self.rule)

    def take(self, release: str, entries: Entries) -> None:
        """Take in what was brought."""
        self.by_release[release] = entries

    @cached_property
    def entries(self) -> Entries:
        """All of them; asked for when all have been taken in."""
        return together(list(self.by_release.values()))

    def others(self, release: str) -> Entries:
        """Those of all releases but one."""
        return together([entries for name, entries in self.by_release.items() if name != release])

    def is_old_enough(self, moment: datetime) -> bool:
        """Whether the app had begun by then: on its first day everything would be new."""
        return self.app_since is not None and self.app_since < moment

    @cached_property
    def _steps(self) -> list[int]:
        return list(self.entries.until)

    @cached_property
    def _until(self) -> list[int]:
        """How many entries came before each of the steps, and after the last."""
        return [0, *self.entries.until.values()]

    @cached_property
    def _batches(self) -> Batches:
        """What all windows over the whole group share."""
        return Batches(shape_of(self.rule), self.entries)

    def volume(self, first: int, end: int) -> int:
        """How many entries came in steps first … end."""
        steps, until = self._steps, self._until
        return until[bisect_left(steps, end)] - until[bisect_left(steps, first)]

    def newest(self, end: int, longest: int) -> datetime | None:
        """When something last came, as far as it matters: within so many steps."""
        steps = self._steps
        place = bisect_left(steps, end) - 1
        if place < 0 or end - 1 - steps[place] >= longest:
            return None
        return datetime.fromtimestamp(self.entries.newest_ms[steps[place]] / 1000, UTC)

    def window(self, name: object, of: Callable[[], Entries] | None = None) -> Growing:
        """One of the group's windows, made when it is first asked for."""
        if name not in self.windows:
            rule, every = self.rule, self.rule.every.seconds
            least, most = rule.least.seconds // every, rule.window.max.seconds // every
            own = Batches(shape_of(rule), of()) if of else self._batches
            self.windows[name] = Growing(own, least, most, rule.window.samples)
        return self.windows[name]


def _figure(sliding: Sliding, rule: Rule, steps: int) -> Figure:
    return sliding.figure(steps * rule.every.seconds / 60)


def _since(rule: Rule, window: Growing, at: datetime) -> datetime:
    return at - (window.end - window.start) * rule.every.delta


def threshold(rule: Rule, track: Track, end: int, at: datetime) -> Measurement:
    """The number against a limit that stands in the rule."""
    window = track.window("now")
    sliding = window.advance(end)
    limit = rule.fire.above if rule.is_upward else rule.fire.below
    if rule.kind == "feed_burst" and limit is None:
        limit = 0.1
    clear_at = rule.clear_at if rule.clear_at is not None or limit is None else limit * 0.92
    found = _measured(rule, track, sliding, _figure(sliding, rule, window.end - window.start), end, at)
    return _against(found, rule, sliding, limit, clear_at, since=_since(rule, window, at))


def _measured(rule: Rule, track: Track, sliding: Sliding, figure: Figure, end: int, at: datetime) -> Measurement:
    is_count = _is_count(sliding)
    newest = at if is_count else track.newest(end, track.silence)
    return Measurement(
        at, at, figure.value, figure.low, figure.high, figure.n, figure.users,
        newest=newest, is_enough=figure.n >= track.fewest and (is_count or figure.value is not None),
    )  # fmt: skip


def _is_count(sliding: Sliding) -> bool:
    """Whether nothing at all is a number too: 0."""
    return sliding.shape.of in ("count", "size", "per_minute")


def _against(
    found: Measurement, rule: Rule, sliding: Sliding, limit: float | None, clear_at: float | None, **more: Any
) -> Measurement:
    """The limit in force, and how many users are beyond it: counted only where it matters, for it takes a look at each."""
    beyond = 0
    edge = found.low if rule.is_upward else found.high
    if limit is not None and edge is not None and (edge > limit if rule.is_upward else edge < limit):
        is_lack = _is_count(sliding) and not rule.is_upward
        beyond = EVERYBODY if is_lack else sliding.users_beyond(limit, rule.is_upward)
    return replace(found, users_beyond=beyond, limit=limit, clear_at=clear_at, **more)


def change(rule: Rule, track: Track, end: int, at: datetime) -> Measurement:
    """The number against the same hours of the last weeks: more than their middle by so much, and than each of them."""
    window = track.window("now")
    sliding = window.advance(end)
    steps = WEEK // rule.every.delta
    before = []
    for week in range(1, rule.weeks + 1):
        then = track.window(week).move(window.start - week * steps, end - week * steps)
        figure = _figure(then, rule, window.end - window.start)
        if figure.value is not None and figure.n >= max(1, track.fewest):
            before.append(figure.value)
    found = _measured(rule, track, sliding, _figure(sliding, rule, window.end - window.start), end, at)
    since = _since(rule, window, at)
    if not before:
        return replace(found, is_enough=False, since=since, note="no earlier week to compare with yet")
    usual = median(before)
    limit = max(usual * (1 + (rule.fire.more_by or 0)), *before)
    note = f"the same hours of the last {len(before)} weeks: {usual:g}"
    clear_at = max(usual * (1 + (rule.fire.more_by or 0) / 2), *before)
    return _against(found, rule, sliding, limit, clear_at, since=since, note=note)


def release(rule: Rule, track: Track, end: int, at: datetime) -> Measurement:
    """The newest release against all the others, over the same time."""
    new_steps = rule.new_for.seconds // rule.every.seconds
    first = {
        name: step
        for name, entries in track.by_release.items()
        if (step := _first(entries, end, new_steps)) is not None
    }
    fresh = [(step, name) for name, step in first.items() if name and step >= end - new_steps]
    whole = track.window("now")
    sliding = whole.advance(end)
    found = _measured(rule, track, sliding, _figure(sliding, rule, whole.end - whole.start), end, at)
    since = _since(rule, whole, at)
    # Nothing to compare is fine: the rule waits for a release.
    if not fresh:
        return replace(found, is_enough=True, since=since, note="no new release")
    came, newest = max(fresh)
    if min(first.values()) > came - ceil(LEAD * new_steps):
        # Where the first views have just come, releases that have long run beside each other seem to follow each other.
        note = f"release {newest} is new, and none was seen before it"
        return replace(found, is_enough=True, since=since, note=note)
    window = track.window(("release", newest), lambda: track.by_release[newest])
    new = window.advance(end)
    others = track.window(("others", newest), lambda: track.others(newest)).move(window.start, end)
    old = _figure(others, rule, end - window.start)
    since, own = _since(rule, window, at), (("release", newest),)
    found = _measured(rule, track, new, _figure(new, rule, window.end - window.start), end, at)
    if old.n < max(1, track.fewest) or old.value is None or not found.is_enough:
        return replace(found, is_enough=True, since=since, note=f"release {newest}: too few to compare", narrowed=own)
    edge = old.high if old.high is not None else old.value
    limit = max(old.value * (1 + (rule.fire.more_by or 0)), edge)
    clear_at = max(old.value * (1 + (rule.fire.more_by or 0) / 2), old.value)
    note = f"release {newest} against {old.value:g} before it"
    return _against(found, rule, new, limit, clear_at, since=since, note=note, narrowed=own)


def _first(entries: Entries, end: int, steps: int) -> int | None:
    """The first step a release was seen in, as far as twice the time that it would be new for."""
    return min((step for step in entries.until if end - 2 * steps <= step < end), default=None)


def burn(rule: Rule, track: Track, end: int, at: datetime) -> Measurement:
    """How fast the budget of an objective is used up, over a long and a short window at once."""
    budget = 1 - (rule.objective or 99) / 100
    best: tuple[tuple[bool, float], Measurement] | None = None
    for pair in rule.burns:
        steps = [span.seconds // rule.every.seconds for span in (pair.long, pair.short)]
        long = track.window(("long", pair.long.seconds)).move(end - steps[0], end)
        short = track.window(("short", pair.short.seconds)).move(end - steps[1], end)
        slow, quick = _figure(long, rule, steps[0]), _figure(short, rule, steps[1])
        limit = pair.rate * budget
        is_now = quick.value is not None and quick.value > limit
        found = _measured(rule, track, long, slow, end, at)
        low = found.low if is_now or found.low is None else min(found.low, limit)
        found = replace(found, low=low, is_enough=found.is_enough or not is_now)
        note = f"{(slow.value or 0) / budget:.1f} times the budget over {pair.long}, and {pair.short} agrees"
        made = _against(
            found, rule, long, limit, limit if is_now else None,
            since=at - pair.long.delta, note=note if is_now else "",
        )  # fmt: skip
        rank = (is_now and low is not None and low > limit, (slow.value or 0) / limit)
        if best is None or rank > best[0]:
            best = (rank, made)
    assert best is not None
    return best[1]


def new_error(rule: Rule, track: Track, end: int, at: datetime) -> Measurement | None:
    """An error that was not there before: how often it came since, and to how many users."""
    steps = rule.new_for.seconds // rule.every.seconds
    before = track.volume(end - steps - QUIET // rule.every.delta, end - steps)
    if before or not track.volume(end - steps, end) or not track.is_old_enough(at - rule.new_for.delta):
        return None
    window = track.window("now")
    sliding = window.move(end - steps, end)
    figure = _figure(sliding, rule, steps)
    found = Measurement(
        at, at, figure.value, figure.value, figure.value, figure.n, figure.users,
        newest=track.newest(end, steps), is_enough=True,
    )  # fmt: skip
    note, since = "not seen in the two weeks before", at - rule.new_for.delta
    found = _against(found, rule, sliding, rule.fire.above or 0.0, None, since=since, note=note)
    return found if found.users_beyond >= rule.fire.min_users else None


KINDS: dict[str, Callable[[Rule, Track, int, datetime], Measurement | None]] = {
    "threshold": threshold,
    "feed_burst": threshold,
    "change": change,
    "release": release,
    "burn": burn,
    "new_error": new_error,
}
