"""Trace: the spans of one trace as they lie in the store, and the views they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log2

import msgspec

from collector.query.question import Question, ask
from collector.store import Store

SPANS = 100_000
PAIRS = 1_000
SESSION_TRACES = 50


class Span(msgspec.Struct, frozen=True):
    """One span; its times are by the clock of the machine that made it. Browser spans have the service `browser`.

    A trace has up to SPANS of them, and a frozen dataclass takes six times as long to make.
    """

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
    failure: str = ""

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
    """A view whose events carry the trace's id; the first of these was at `began_ms` of its browser's clock."""

    view_id: str
    app: str
    is_own: bool
    session_id: str
    began_ms: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A browser's request and the span of the server that answered it, each by its own clock. `is_load` says that it is a
    page load, whose reply a cache may have kept, `is_cut` that the browser did not wait for the end."""

    host: str
    client_start_ns: int
    client_end_ns: int
    server_start_ns: int
    server_end_ns: int
    is_load: bool = False
    is_cut: bool = False


def session_traces(store: Store, question: Question, session_id: str, near_ms: int) -> list[str]:
    """The traces of a session, the SESSION_TRACES nearest to a moment of the browser's clock."""
    if not session_id:
        return []
    near = ask(store, "session_traces", question, session_id=session_id, near_ms=near_ms, limit=SESSION_TRACES)
    return [row["trace_id"] for row in near]


def trace_pairs(store: Store, question: Question, traces: Sequence[str]) -> list[Pair]:
    """The pairs of some traces: what bounds the offset of their clocks."""
    if not traces:
        return []
    rows = ask(store, "trace_pairs", question, traces=traces, limit=PAIRS)
    return [Pair(**row | {"is_load": bool(row["is_load"]), "is_cut": bool(row["is_cut"])}) for row in rows]


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


@dataclass(frozen=True, slots=True)
class Rank:
    """A span among the spans of its operation in a day: the share that was shorter, of `n`."""

    shorter: float
    n: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the spans of one operation took: how many in each step of an eighth of a doubling."""

    steps: dict[int, int]

    def rank(self, duration_ns: int) -> Rank:
        """Where a duration stands; spans of the same step count half."""
        own = floor(log2(max(duration_ns, 1)) * 8)
        n = sum(self.steps.values())
        shorter = sum(count for step, count in self.steps.items() if step < own) + self.steps.get(own, 0) / 2
        return Rank(shorter / n, n)


def span_lengths(store: Store, question: Question, operations: set[tuple[str, str]]) -> dict[tuple[str, str], Lengths]:
    """How long spans of these operations (service, name) took in the day before the watermark."""
    if not operations:
        return {}
    services, names = (sorted(set(column)) for column in zip(*operations, strict=True))
    rows = ask(store, "span_lengths", question, services=services, names=names)
    return {(row["service"], row["name"]): Lengths(dict(zip(*row["steps"], strict=True))) for row in rows}


def trace_views(store: Store, question: Question, trace_id: str) -> list[TraceView]:
    """The views a trace belongs to, the one it was made for first."""
    rows = ask(store, "trace_views", question, trace_id=trace_id)
    return [TraceView(**row | {"is_own": bool(row["is_own"])}) for row in rows]
