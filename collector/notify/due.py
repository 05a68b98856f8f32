"""Due: which notices have to go out now. Pure: rows in, notices out, no clock and no store.

A notice is known by what it is about, so everybody computes the same ones from the same rows: `firing` (once for each
episode and receiver, groups that began together in one), `repeat`, `resolved`, `no_data` and `error`, and the end of those.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.alerts.rules import Rule
from collector.notify.receivers import Receiver
from collector.query.alerts import Acknowledgement, Attempt, Silence, StoredFlip

LEASE = timedelta(seconds=60)  # after so long whoever claimed an attempt is taken for dead
ERROR_AFTER = timedelta(minutes=10)
LATE = timedelta(minutes=30)  # a short episode is still told about so long after its end
OVER = ("ok", "learning")
BACK_OFF_S = (10, 30, 60, 120, 300, 600, 900)


@dataclass(frozen=True)
class Notice:
    """One thing to tell one receiver: of a rule, about one or more groups, each with the flip that says it."""

    kind: str
    rule: Rule
    receiver: Receiver
    flips: tuple[StoredFlip, ...]
    key: str
    attempt: int = 1

    @property
    def id(self) -> str:
        """The same for whoever finds it; receivers that know it take a second one for the first."""
        return hashlib.sha256(f"{self.key}/{self.receiver.name}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Known:
    """Everything that decides what is due."""

    rules: Mapping[str, Rule]
    flips: Sequence[StoredFlip]  # of the last days, with the newest of every group
    attempts: Sequence[Attempt]
    silences: Sequence[Silence]
    acknowledgements: Sequence[Acknowledgement]
    receivers_of: Callable[[Rule], list[Receiver]]
    _by_notice: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for attempt in self.attempts:
            self._by_notice[attempt.notice].append(attempt)

    def tries(self, notice: str) -> list[Attempt]:
        """What has been done about a notice, the oldest first."""
        return self._by_notice.get(notice, [])

    def was_sent(self, notice: str) -> bool:
        """Whether a receiver has it."""
        return any(attempt.outcome == "sent" for attempt in self.tries(notice))


def due(known: Known, now: datetime) -> list[Notice]:
    """The notices to try now, each with the number of its attempt."""
    found = [*_firing(known, now), *_repeats(known, now), *_resolved(known), *_states(known, now)]
    return [ready for notice in found if (ready := _in_turn(known, notice, now)) is not None]


def _in_turn(known: Known, notice: Notice, now: datetime) -> Notice | None:
    tries = known.tries(notice.id)
    if not tries:
        return notice
    last = max(attempt.attempt for attempt in tries)
    of_last = [attempt for attempt in tries if attempt.attempt == last]
    ends = [attempt for attempt in of_last if attempt.outcome != "claimed"]
    if any(attempt.outcome in ("sent", "refused") for attempt in tries):
        return None
    if not ends:
        waits = any(now - attempt.at < LEASE for attempt in of_last)
    else:
        waits = any(attempt.next_at is not None and attempt.next_at > now for attempt in ends)
    return None if waits else Notice(notice.kind, notice.rule, notice.receiver, notice.flips, notice.key, last + 1)


def back_off(attempt: int) -> timedelta:
    """How long to wait after a failed attempt."""
    return timedelta(seconds=BACK_OFF_S[min(attempt, len(BACK_OFF_S)) - 1])


@dataclass(frozen=True)
class Episode:
    """One firing of one group: the flip that began it, and the one that ended it."""

    rule: Rule
    begin: StoredFlip
    end: StoredFlip | None

    @property
    def fired_at(self) -> datetime:
        """When it began."""
        assert self.begin.fired_at is not None
        return self.begin.fired_at


def episodes(known: Known) -> list[Episode]:
    """Every firing that is going on or has ended of late."""
    own: dict[tuple[str, str, datetime], list[StoredFlip]] = defaultdict(list)
    for flip in known.flips:
        if flip.fired_at is not None and flip.rule in known.rules:
            own[flip.rule, flip.group_key, flip.fired_at].append(flip)
    found = []
    for (rule, _, fired_at), flips in own.items():
        flips.sort(key=lambda flip: flip.seq)
        begin = next((flip for flip in flips if flip.at == fired_at), flips[0])
        end = flips[-1] if flips[-1].after in OVER else None
        found.append(Episode(known.rules[rule], begin, end))
    return sorted(found, key=lambda episode: (episode.fired_at, episode.begin.rule, episode.begin.group_key))


def is_silenced(known: Known, flip: StoredFlip, now: datetime) -> bool:
    """Whether somebody wants quiet about it now."""
    return any(silence.covers(flip.rule, flip.group_key, now) for silence in known.silences)


def inhibitor(known: Known, episode: Episode, going_on: Iterable[Episode]) -> Episode | None:
    """A firing that says the same about more: an app's over a route's, a route's over a device's on it."""
    own = _scope(episode)
    for other in going_on:
        if other is not episode and _subject(other.rule) == _subject(episode.rule) and _scope(other) < own:
            return other
    return None


def _subject(rule: Rule) -> tuple[str, str, str]:
    return rule.app, rule.metric, rule.kind


def _scope(episode: Episode) -> set[tuple[str, str]]:
    return {*episode.rule.conditions, *episode.begin.group.items()}


def firing_key(episode: Episode) -> str:
    """What a first notice is known by: groups of a rule that began together share it."""
    return f"{episode.begin.rule}/{int(episode.fired_at.timestamp())}/firing"


def _firing(known: Known, now: datetime) -> Iterable[Notice]:
    every = episodes(known)
    going_on = [episode for episode in every if episode.end is None]
    told: dict[str, list[Episode]] = defaultdict(list)
    for episode in every:
        if episode.end is not None and now - episode.end.at > LATE and not _was_tried(known, episode):
            continue
        if not _was_tried(known, episode) and (
            is_silenced(known, episode.begin, now) or inhibitor(known, episode, going_on)
        ):
            continue
        told[firing_key(episode)].append(episode)
    for key, together in told.items():
        for receiver in known.receivers_of(together[0].rule):
            yield Notice("firing", together[0].rule, receiver, tuple(e.begin for e in together), key)


def _was_tried(known: Known, episode: Episode) -> bool:
    key = firing_key(episode)
    receivers = known.receivers_of(episode.rule)
    return any(known.tries(Notice("firing", episode.rule, r, (), key).id) for r in receivers)


def _repeats(known: Known, now: datetime) -> Iterable[Notice]:
    taken = {(one.rule, one.group_key, one.fired_at) for one in known.acknowledgements}
    every = [episode for episode in episodes(known) if episode.end is None]
    told: dict[tuple[str, int], list[Episode]] = defaultdict(list)
    for episode in every:
        nr = (now - episode.fired_at) // episode.rule.repeat.delta
        is_taken = (episode.begin.rule, episode.begin.group_key, episode.fired_at) in taken
        if nr and not is_taken and not is_silenced(known, episode.begin, now) and not inhibitor(known, episode, every):
            told[firing_key(episode), nr].append(episode)
    for (key, nr), together in told.items():
        for receiver in known.receivers_of(together[0].rule):
            first = Notice("firing", together[0].rule, receiver, (), key)
            if receiver.kind != "alertmanager" and known.was_sent(first.id):
                flips = tuple(episode.begin for episode in together)
                yield Notice("repeat", together[0].rule, receiver, flips, f"{key}/repeat/{nr}")


def still_firing(known: Known) -> list[Notice]:
    """What receivers that forget have to be told again."""
    found = []
    for episode in episodes(known):
        for receiver in known.receivers_of(episode.rule) if episode.end is None else ():
            first = Notice("firing", episode.rule, receiver, (episode.begin,), firing_key(episode))
            if receiver.kind == "alertmanager" and known.was_sent(first.id):
                found.append(first)
    return found


def _resolved(known: Known) -> Iterable[Notice]:
    told: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes(known):
        if episode.end is not None:
            told[f"{firing_key(episode)}/resolved/{int(episode.end.at.timestamp())}"].append(episode)
    for key, together in told.items():
        first = firing_key(together[0])
        for receiver in known.receivers_of(together[0].rule):
            if known.was_sent(Notice("firing", together[0].rule, receiver, (), first).id):
                ends = tuple(episode.end for episode in together if episode.end)
                yield Notice("resolved", together[0].rule, receiver, ends, key)


def _states(known: Known, now: datetime) -> Iterable[Notice]:
    """Nothing comes any more, or cannot be asked; and the end of either, to those who heard of it."""
    by_group: dict[tuple[str, str], list[StoredFlip]] = defaultdict(list)
    for flip in sorted(known.flips, key=lambda flip: flip.seq):
        if flip.rule in known.rules:
            by_group[flip.rule, flip.group_key].append(flip)
    for (name, _), flips in by_group.items():
        rule = known.rules[name]
        for nr, flip in enumerate(flips):
            end = flips[nr + 1] if nr + 1 < len(flips) else None
            lasts = (end.at if end else now) - flip.at
            is_told = flip.after == "no_data" and rule.no_data is not None
            if not is_told and not (flip.after == "error" and lasts >= ERROR_AFTER):
                continue
            key = f"{flip.rule}/{flip.group_key}/{int(flip.at.timestamp())}/{flip.after}"
            for receiver in known.receivers_of(rule):
                first = Notice(flip.after, rule, receiver, (flip,), key)
                if end is None and (known.tries(first.id) or not is_silenced(known, flip, now)):
                    yield first
                elif end is not None and known.was_sent(first.id):
                    yield Notice(f"{flip.after}_over", rule, receiver, (end,), f"{key}/over")
