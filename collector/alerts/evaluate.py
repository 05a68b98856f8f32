"""Evaluate: the rules, as the watermark moves. One loop on a thread, or `step()` by hand in tests.

A rule is looked at when the watermark has passed the next multiple of its `every`: everything received up to there can be
seen, and what is found is what a backtest finds for the same moment. Steps that were missed are not made up for. While
the store is away or the watermark stands, alerts are *blind*, which is told once and is never ok.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.alerts.flips import Book
from collector.alerts.folder import Folder
from collector.alerts.measuring import Course, Group, course, watched
from collector.alerts.rules import Rule
from collector.alerts.state import Flip, Measurement, State, fail, step
from collector.query.alerts import StoredFlip
from collector.query.fields import BadQuestion
from collector.query.history import TooMuch
from collector.store import QueryFailed, StoreAway

log = logging.getLogger("farside.alerts")

LOOK_EVERY_S = 1.0
BLIND_AFTER = timedelta(minutes=3)
STARTS_FOR = timedelta(minutes=1)
REMOVED = "the rule was taken away"


def look(rule: Rule, seen: Course, at: datetime, held: list[Group]) -> dict[Group, Measurement]:
    """What is to be said at a moment of every group that the rule watches."""
    found = seen.at(at)
    groups = watched(rule, {group: n for group, n in seen.volume(at).items() if group in found}, held)
    return {group: found.get(group) or Measurement(at, at) for group in groups}


def flips_at(
    rule: Rule, found: Mapping[Group, Measurement], at: datetime, state_of: Callable[[Group], State]
) -> list[Flip]:
    """What one look at the groups of a rule leads to."""
    flips = []
    for group, measurement in found.items():
        state = state_of(group)
        if state.since is not None and at < state.since:
            continue
        flip = step(rule, group, state, measurement)
        if flip:
            flips.append(flip)
    return flips


@dataclass(frozen=True, slots=True)
class Look:
    """What the last look at a rule found of the groups it watches."""

    rule: Rule
    at: datetime
    found: Mapping[Group, Measurement]


@dataclass(frozen=True, slots=True)
class Blind:
    """Since when nothing can be seen, and why."""

    since: datetime
    why: str


class Sight:
    """Whether alerts can see; remembered in a file, for the store is what may be away."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.blind: Blind | None = None
        try:
            said = json.loads(file.read_text())
            self.blind = Blind(datetime.fromisoformat(said["since"]), said["why"])
        except (OSError, ValueError, KeyError):
            self.blind = None

    def lose(self, now: datetime, why: str) -> None:
        """It went dark; the first reason counts."""
        if self.blind is None:
            self.blind = Blind(now, why)
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps({"since": now.isoformat(), "why": why}))
            draft.replace(self._file)
            log.error("Alerts are blind: %s", why)

    def regain(self) -> Blind | None:
        """It is light again; what there was before."""
        was, self.blind = self.blind, None
        if was:
            self._file.unlink(missing_ok=True)
            log.warning("Alerts see again, after %s", datetime.now(UTC) - was.since)
        return was


class Evaluator:
    """The one that looks. `on_flip` is told of flips that are this evaluator's to deliver."""

    def __init__(
        self,
        book: Book,
        folder: Folder,
        watermark: Callable[[], datetime],
        sight: Sight,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.book, self.folder, self.sight = book, folder, sight
        self.looked_at: dict[str, datetime] = {}
        self.seen: dict[str, Look] = {}
        self._watermark, self._clock = watermark, clock
        self._is_open = False
        self._began = clock()
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="farside-alerts", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, when the look that is under way has ended."""
        self._told.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        while not self._told.wait(LOOK_EVERY_S):
            try:
                self.step()
            except Exception:
                log.exception("Could not look at the rules; trying again")

    def step(self) -> list[StoredFlip]:
        """Look at every rule that is due; the flips that were this evaluator's."""
        self.folder.refresh()
        now, watermark = self._clock(), self._watermark()
        try:
            if not self._is_open:
                self.book.open()
                self._is_open = True
            own = [flip for rule in self._due(watermark) for flip in self._look(rule, watermark)]
            own += self._retire(watermark)
        except StoreAway as error:
            if not self.looked_at and now - self._began < STARTS_FOR:
                return []  # the store is being opened
            self._is_open = False
            self.sight.lose(now, f"the store does not answer: {error}")
            return []
        if now - watermark > BLIND_AFTER:
            self.sight.lose(now, f"nothing has been loaded since {watermark:%Y-%m-%d %H:%M:%S} UTC")
        else:
            self.sight.regain()
        return own

    def _due(self, watermark: datetime) -> list[Rule]:
        return [
            rule for rule in self.folder.rules.values()
            if rule.enabled and rule.step_before(watermark) > self.looked_at.get(rule.id, datetime.min.replace(tzinfo=UTC))
        ]  # fmt: skip

    def _look(self, rule: Rule, watermark: datetime) -> list[StoredFlip]:
        at = rule.step_before(watermark)
        own = []
        for flip in self._found(rule, at):
            written = self.book.write(rule, flip)
            if written:
                own.append(written)
        self.looked_at[rule.id] = at
        return own

    def _found(self, rule: Rule, at: datetime) -> list[Flip]:
        whole = self.book.state(rule, ())
        try:
            seen = course(self.book.store, rule, [at])
            found = look(rule, seen, at, self.book.groups(rule))
            flips = flips_at(rule, found, at, lambda group: self.book.state(rule, group))
            self.seen[rule.id] = Look(rule, at, found)
        except (QueryFailed, TooMuch, BadQuestion) as error:
            log.warning("%s could not be evaluated: %s", rule.id, error)
            self.seen.pop(rule.id, None)
            failed = fail(rule, (), whole, at, str(error))
            return [failed] if failed else []
        if whole.name == "error" and rule.is_grouped:  # its groups answer for themselves again
            flips.append(Flip(rule.id, (), whole.seq + 1, at, "error", "ok", None, None))
        return flips

    def _retire(self, watermark: datetime) -> list[StoredFlip]:
        """End what belongs to rules that are gone, unless a file that cannot be read might have them."""
        if self.folder.complaints:
            return []
        known = self.folder.rules
        own = []
        for (name, group), state in list(self.book.states.items()):
            rule = known.get(name)
            if (rule and rule.enabled) or not state.is_firing:
                continue
            gone = rule or Rule(id=name, where={"app": "-"}, metric="views")
            flip = Flip(name, group, state.seq + 1, watermark, state.name, "ok", state.fired_at, None, REMOVED)
            if written := self.book.write(gone, flip):
                own.append(written)
        return own

    def standing(self) -> Mapping[tuple[str, Group], State]:
        """Where everything stands, as far as this evaluator knows."""
        return dict(self.book.states)
