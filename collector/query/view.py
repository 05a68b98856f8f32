"""View: everything one page view reported."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import Question, ask
from collector.store import Store

EVENTS = 5_000
SESSION_VIEWS = 200


@dataclass(frozen=True, slots=True)
class EventShape:
    """What a waterfall needs of an event, to hang it in a trace and to draw it."""

    type: str
    event_id: str
    view_id: str
    trace_id: str
    span_id: str
    server_span_id: str
    trace_source: str
    timestamp: datetime
    at_ms: float
    seq: int
    clock_offset_ms: int
    route: str
    path: str
    name: str
    value: float | None
    duration_ms: float | None
    status_code: int | None
    url: str
    endpoint: str
    failure: str
    initiator: str
    batch: int | None
    phases: dict[str, float]


@dataclass(frozen=True, slots=True)
class Event(EventShape):
    """One row of `events`, as docs/wire.md names its fields."""

    app: str
    received_at: datetime
    session_id: str
    user_id: str
    origin: str
    navigation: str
    release: str
    environment: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    device: str
    bot_score: int
    country: str
    viewport_width: int
    viewport_height: int
    connection: str
    device_memory: float | None
    save_data: bool
    visibility: str
    sample_n: int
    snippet: str
    clock: str
    parent_span_id: str
    cause: str
    bytes: int | None
    target: str
    burst: int | None
    duplicates: int | None
    items: int | None
    stall_ms: float | None
    distance_px: int | None
    depth_px: int | None
    abandoned: bool | None
    count: int | None
    error_type: str
    message: str
    stack: str
    fingerprint: str
    breadcrumbs: str
    flags: dict[str, str]
    flag_sources: dict[str, str]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class SessionView:
    """One view among those of its session."""

    view_id: str
    timestamp: datetime
    route: str
    navigation: str


def view_events(store: Store, question: Question, view_id: str) -> list[Event]:
    """What the view reported up to the watermark, at most EVENTS; empty when nothing is known of it."""
    return [Event(**row) for row in ask(store, "view_events", question, view_id=view_id, limit=EVENTS)]


def event_shapes(store: Store, question: Question, view_id: str) -> list[EventShape]:
    """The same events as far as a waterfall draws them: every column costs the engine a tenth of a millisecond to plan."""
    return [EventShape(**row) for row in ask(store, "event_shapes", question, view_id=view_id, limit=EVENTS)]


def session_views(store: Store, question: Question, session_id: str) -> list[SessionView]:
    """The session's views in the order in which they began."""
    rows = ask(store, "session_views", question, session_id=session_id, limit=SESSION_VIEWS)
    return [SessionView(**row) for row in rows]
