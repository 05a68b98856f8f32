"""Errors: groups with what became of them, one group in depth, and what people decided about it."""

from dataclasses import dataclass, field
from datetime import datetime

from collector.query.question import EPOCH, Question, ask
from collector.store import Store

GROUPS = 200
EVENTS = 20
VALUES = 6
SLICES = 40
DIMENSIONS = ("release", "route", "browser", "os", "device", "country")


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest thing somebody decided about a group: `open`, `resolved`, or `ignored` until a time (None: for ever)."""

    state: str = "open"
    since: datetime | None = None
    who: str = ""
    until: datetime | None = None
    team: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One release in which a group was met, over everything that is kept; times of receipt, up to the question's end."""

    release: str
    began_at: datetime
    ended_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Group:
    """Errors with one fingerprint in the question's time, told by the newest; `seen` reaches beyond that time."""

    fingerprint: str
    kind: str
    error_type: str
    message: str
    route: str
    team: str
    times: int
    views: int
    users: int
    sessions: int
    last_seen: datetime
    view_id: str
    event_id: str
    slices: dict[int, int]
    seen: tuple[Seen, ...]
    decision: Decision = field(default_factory=Decision)

    @property
    def first_seen(self) -> datetime:
        """When the group was first met, as far as is kept."""
        return self.seen[0].began_at if self.seen else self.last_seen

    @property
    def introduced_by(self) -> str:
        """The release that met it first; empty where pages name none."""
        return self.seen[0].release if self.seen else ""

    @property
    def regressed_in(self) -> Seen | None:
        """Where it came back after somebody resolved it: the first release that had not met it before, or any receipt
        at all where pages name no release. A tab that still runs an old release is no regression."""
        resolved_at = self.decision.since
        if self.decision.state != "resolved" or resolved_at is None:
            return None
        again = (
            seen
            for seen in self.seen
            if seen.ended_at > resolved_at and (seen.began_at > resolved_at or not seen.release)
        )
        return next(again, None)

    def state(self, now: datetime) -> str:
        """`open`, `regressed`, `resolved` or `ignored`, as of now."""
        decision = self.decision
        if decision.state == "resolved":
            return "regressed" if self.regressed_in else "resolved"
        if decision.state == "ignored" and (decision.until is None or decision.until > now):
            return "ignored"
        return "open"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One error as it was reported."""

    event_id: str
    view_id: str
    trace_id: str
    timestamp: datetime
    at_ms: float
    route: str
    release: str
    browser: str
    browser_version: str
    os: str
    device: str
    user_id: str
    error_type: str
    message: str
    stack: str
    breadcrumbs: str
    url: str
    count: int


@dataclass(frozen=True, slots=True)
class Value:
    """How often a group was met with one value of a dimension."""

    dimension: str
    value: str
    times: int
    views: int


def error_groups(store: Store, question: Question, fingerprint: str = "") -> list[Group]:
    """Groups, the most frequent first; or the one with this fingerprint."""
    decisions = error_decisions(store, question, fingerprint)
    rows = ask(store, "error_groups", question, fingerprint=fingerprint, limit=GROUPS)
    histories = error_histories(store, question, [row["fingerprint"] for row in rows])
    plain = [name for name in Group.__slots__ if name not in {"seen", "decision"}]
    return [
        Group(
            **{name: row[name] for name in plain},
            seen=histories.get(row["fingerprint"], ()),
            decision=decisions.get(row["fingerprint"], Decision()),
        )
        for row in rows
    ]


def error_histories(store: Store, question: Question, fingerprints: list[str]) -> dict[str, tuple[Seen, ...]]:
    """In which releases each group was met, whatever the question's time and filters; the earliest first."""
    found: dict[str, list[Seen]] = {}
    for row in ask(store, "error_histories", question, fingerprints=fingerprints) if fingerprints else []:
        seen = Seen(row["release"], row["began_at"], row["ended_at"], row["times"])
        found.setdefault(row["fingerprint"], []).append(seen)
    return {fingerprint: tuple(seen) for fingerprint, seen in found.items()}


def error_decisions(store: Store, question: Question, fingerprint: str = "") -> dict[str, Decision]:
    """What was decided last about each group of the app, now: decisions are not bound to the question's time."""
    found = {}
    for row in ask(store, "error_decisions", question, fingerprint=fingerprint):
        since, until = (moment if moment > EPOCH else None for moment in (row["since"], row["until"]))
        found[row["fingerprint"]] = Decision(row["state"], since, row["who"], until, row["team"])
    return found


def error_events(store: Store, question: Question, fingerprint: str) -> list[Occurrence]:
    """The newest errors of a group; those with a stack and a trace are told from the others by them."""
    rows = ask(store, "error_events", question, fingerprint=fingerprint, limit=EVENTS)
    return [Occurrence(**row) for row in rows]


def error_values(store: Store, question: Question, fingerprint: str) -> list[Value]:
    """For each of DIMENSIONS the values with which the group was met most."""
    rows = ask(store, "error_values", question, fingerprint=fingerprint, limit=VALUES)
    return [Value(DIMENSIONS[row["nr"] - 1], row["value"], row["times"], row["views"]) for row in rows]
