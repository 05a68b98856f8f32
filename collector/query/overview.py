"""Overview: is it fine, and where not? Routes by what they cost, feeds, errors, the newest views of a question."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.outcomes import Outcome
from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import LIMITS, Percentile, percentile
from collector.query.weights import ask_weighing
from collector.store import Store

ROUTES = 50
FEEDS = 20
GROUPS = 20
VIEWS = 20
NEAR = timedelta(hours=1)
DETAILS = 3


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its traffic, how slow it is, and `loss`: views with a poor vital, plus half of the mixed ones."""

    route: str
    views: int
    requests: int
    errors: int
    loss: float
    lcp: Percentile | None
    inp: Percentile | None

    @property
    def requests_per_view(self) -> float | None:
        """Fetches and XHRs for each view; None without a view to count them by."""
        return self.requests / self.views if self.views else None


@dataclass(frozen=True, slots=True)
class Feed:
    """One infinite scroll. `bursts` are loads asked for again before the page had grown, `duplicates` those asked for
    while the same was under way; `depth` is the 75th percentile of how far views scrolled."""

    name: str
    loads: int
    views: int
    loads_per_view: float
    bursts: int
    worst_burst: int
    duplicates: int
    failures: int
    abandoned: int
    paint: Percentile | None
    stall: Percentile | None
    depth: Percentile | None
    deepest_batch: int

    @property
    def is_self_made_load(self) -> bool:
        """Whether the page floods its own backend: a tenth of the loads were asked for before the page had grown."""
        return self.bursts * 10 >= self.loads


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors with one fingerprint, told by the newest."""

    fingerprint: str
    kind: str
    error_type: str
    message: str
    route: str
    times: int
    views: int
    users: int
    sessions: int
    last_seen: datetime
    view_id: str
    event_id: str


@dataclass(frozen=True, slots=True)
class RecentView:
    """One view, for a list."""

    view_id: str
    timestamp: datetime
    route: str
    path: str
    trace_id: str
    user_id: str
    session_id: str
    browser: str
    os: str
    device: str
    country: str
    navigation: str
    duration_ms: float | None
    lcp: float | None
    inp: float | None
    cls: float | None
    requests: int
    errors: int
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """What an app has ever sent."""

    events: int
    views: int
    last_received_at: datetime | None
    view_id: str


OF_BEACONS = {outcome for outcome in Outcome if outcome.status >= 400} - {Outcome.BAD_TOKEN, Outcome.BAD_OTLP}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Events that ended in one outcome other than stored; `app` is empty where the door could not tell it."""

    app: str
    outcome: str
    events: int
    last_minute: datetime

    @property
    def is_of_beacons(self) -> bool:
        """Whether the door refused what a page had sent, as a whole."""
        return self.outcome in OF_BEACONS


def routes(store: Store, question: Question) -> list[Route]:
    """Routes, those that cost most first."""
    bounds = {
        f"{name.lower()}_{word}": getattr(LIMITS[name], word)
        for name in ("LCP", "INP", "CLS")
        for word in ("good", "poor")
    }
    rows = ask(store, "routes", question, limit=ROUTES, **bounds)
    return [
        Route(
            row["route"], row["views"], row["requests"], row["errors"], row["loss"],
            _percentile(row, "lcp_"), _percentile(row, "inp_"),
        )
        for row in rows
    ]  # fmt: skip


def feeds(store: Store, question: Question) -> list[Feed]:
    """Feeds, those that ask again and again first."""
    found = []
    for row in ask_weighing(store, "feeds", question, types=["feed"], limit=FEEDS):
        plain = {name: row[name] for name in Feed.__slots__ if name in row}
        found.append(
            Feed(
                **plain,
                paint=_percentile(row, "paint_"),
                stall=_percentile(row, "stall_"),
                depth=_percentile(row, "depth_"),
            )
        )
    return found


def errors(store: Store, question: Question) -> list[ErrorGroup]:
    """Error groups, the most frequent first."""
    rows = ask(store, "errors", question, limit=GROUPS)
    return [ErrorGroup(**{name: row[name] for name in ErrorGroup.__slots__}) for row in rows]


def recent_views(store: Store, question: Question, limit: int = VIEWS) -> list[RecentView]:
    """The newest views; where there is traffic the last hour holds them, and no more is read."""
    near = milliseconds(question.until - NEAR)
    rows = ask(store, "recent_views", question, limit=limit, near_ms=near)
    if len(rows) < limit and near > milliseconds(question.since):
        rows = ask(store, "recent_views", question, limit=limit, near_ms=milliseconds(question.since))
    return [RecentView(**row | {"is_hidden": bool(row["is_hidden"])}) for row in rows]


def presence(store: Store, question: Question) -> Presence:
    """What the app has ever sent, whatever the question's range and filters."""
    row = ask(store, "presence", question)[0]
    last = row["last_received_at"] if row["events"] else None
    return Presence(row["events"], row["views"], last, row["view_id"])


def refusals(store: Store, question: Question, over: timedelta) -> list[Refusal]:
    """What was refused of late, the latest first; where no app could be told, of every app."""
    since = milliseconds(question.until - over) // 60_000 * 60
    return [Refusal(**row) for row in ask(store, "refusals", question, since_s=since)]


def refusal_details(store: Store, question: Question, over: timedelta) -> dict[tuple[str, str], list[str]]:
    """What was wrong with what was refused of late, by (app, outcome), in the door's words: the latest first."""
    since = milliseconds(question.until - over) // 60_000 * 60
    rows = ask(store, "refusal_details", question, since_s=since, limit=DETAILS)
    return {(row["app"], row["outcome"]): row["details"] for row in rows}


def _percentile(row: dict[str, object], prefix: str) -> Percentile | None:
    return percentile(row, prefix) if row[f"{prefix}n"] else None
