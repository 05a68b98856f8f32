"""Trace: the spans of one trace as they lie in the store, and the views they belong to."""

from dataclasses import dataclass, field

from collector.query.question import Question, ask
from collector.store import Store

SPANS = 100_000


@dataclass(frozen=True, slots=True)
class Span:
    """One span; its times are by the clock of the machine that made it. Browser spans have the service `browser`."""

    span_id: str
    parent_id: str
    name: str
    kind: str
    service: str
    start_ns: int
    duration_ns: int
    status: str = "Unset"
    status_message: str = ""
    host: str = ""
    event_type: str = ""
    view_id: str = ""
    event_id: str = ""
    server_span_id: str = ""
    trace_source: str = ""

    @property
    def end_ns(self) -> int:
        """When it ended, by the same clock."""
        return self.start_ns + self.duration_ns

    @property
    def is_browser(self) -> bool:
        """Whether a browser made it."""
        return self.service == "browser"


@dataclass(frozen=True, slots=True)
class SpanDetails:
    """What a span carries beyond its shape."""

    span_id: str
    service: str
    start_ns: int
    attributes: dict[str, str]
    resource: dict[str, str]
    scope_name: str = ""
    scope_version: str = ""
    trace_state: str = ""
    events: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TraceView:
    """A view whose events carry the trace's id."""

    view_id: str
    app: str
    is_own: bool


def trace_spans(store: Store, question: Question, trace_id: str) -> list[Span]:
    """The spans of a trace received up to the watermark, at most SPANS, the earliest first."""
    return [Span(**row) for row in ask(store, "trace_spans", question, trace_id=trace_id, limit=SPANS)]


def span_details(store: Store, question: Question, trace_id: str, span_ids: list[str]) -> list[SpanDetails]:
    """Attributes, events and links of some spans of a trace."""
    if not span_ids:
        return []
    rows = ask(store, "span_details", question, trace_id=trace_id, span_ids=span_ids)
    return [
        SpanDetails(
            row["span_id"], row["service"], row["start_ns"], row["attributes"], row["resource"],
            row["scope_name"], row["scope_version"], row["trace_state"],
            list(zip(row["event_times"], row["event_names"], row["event_attributes"], strict=True)),
            list(zip(row["link_traces"], row["link_spans"], strict=True)),
        )
        for row in rows
    ]  # fmt: skip


def trace_views(store: Store, question: Question, trace_id: str) -> list[TraceView]:
    """The views a trace belongs to, the one it was made for first."""
    rows = ask(store, "trace_views", question, trace_id=trace_id)
    return [TraceView(row["view_id"], row["app"], bool(row["is_own"])) for row in rows]
