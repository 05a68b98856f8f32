"""Weave: what a view's events know and its spans do not, as further spans, phases and marks.

Feed loads become spans around their requests; assets, long frames and requests without a span id stand beside them; the
navigation's phases and the vitals are put on the view's own clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from collector.query.trace import Span
from collector.query.view import EventShape

STARTING = ("redirect_ms", "dns_ms", "connect_ms", "request_ms")
E = TypeVar("E", bound=EventShape)


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a navigation, in milliseconds from the view's start."""

    name: str
    start_ms: float
    end_ms: float
    is_network: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a view: a vital, or an error."""

    name: str
    at_ms: float
    value: float | None
    event_id: str


def weave(spans: Sequence[Span], events: Sequence[EventShape]) -> list[Span]:
    """The spans and, as spans of service `browser`, what else the view reported with a duration."""
    if not events:
        return list(spans)
    zero_ns = view_zero(spans, events)
    root = next((e.span_id or e.event_id for e in events if e.type == "view"), "")
    feeds = {e.span_id: e.event_id for e in events if e.type == "feed" and e.span_id}
    known = {s.span_id for s in spans if s.is_browser}
    woven = [
        replace(s, parent_id=feeds[s.span_id]) if s.is_browser and s.span_id in feeds else s for s in spans
    ]  # the feed load, which began with the trigger, caused the request
    for event in events:
        if event.type in {"view", "fetch"} and event.span_id in known and event.span_id:
            continue
        if event.type in {"view", "fetch", "feed", "resource", "longframe"}:
            parent = "" if event.type == "view" else feeds.get(event.span_id, root) if event.type == "fetch" else root
            woven.append(_span(event, zero_ns, parent))
    return woven


def view_zero(spans: Sequence[Span], events: Sequence[EventShape]) -> int:
    """The view's time origin by the client's own clock, in nanoseconds since 1970."""
    at = {event.event_id: event.at_ms for event in events}
    for span in spans:
        if span.event_id in at:
            return span.start_ns - round(at[span.event_id] * 1e6)
    first = events[0]
    return int(first.timestamp.timestamp() * 1_000) * 1_000_000 - round(first.at_ms * 1e6)


def phases(events: Sequence[EventShape]) -> list[Phase]:
    """The navigation's phases in order. Their lengths are known, and where they end: at the first byte, TTFB."""
    view = newest(events, "view")
    if view is None or not view.phases:
        return []
    lengths = {name: max(0.0, ms) for name, ms in view.phases.items()}
    ttfb = newest(events, "vital", "TTFB")
    first_byte = ttfb.value if ttfb and ttfb.value is not None else sum(lengths.get(name, 0.0) for name in STARTING)
    found, end = [], first_byte
    for name in reversed(STARTING):
        start = max(0.0, end - lengths.get(name, 0.0))
        if end > start:
            found.append(Phase(name.removesuffix("_ms"), start, end, is_network=True))
        end = start
    found.reverse()
    received = first_byte + lengths.get("response_ms", 0.0)
    if received > first_byte:
        found.append(Phase("response", first_byte, received, is_network=True))
    at = received
    for name in ("dom_interactive_ms", "dom_content_loaded_ms", "load_ms"):
        if lengths.get(name, 0.0) > at:
            found.append(Phase(name.removesuffix("_ms"), at, lengths[name], is_network=False))
            at = lengths[name]
    return found


def marks(events: Sequence[EventShape]) -> list[Mark]:
    """Vitals and errors in order of time. The loading vitals are the moment they measure, the others have their own."""
    found = []
    for name in ("TTFB", "FCP", "LCP", "INP", "CLS"):
        event = newest(events, "vital", name)
        if event and event.value is not None:
            at = event.value if name in {"TTFB", "FCP", "LCP"} else event.at_ms
            found.append(Mark(name, at, event.value, event.event_id))
    found += [Mark("error", event.at_ms, None, event.event_id) for event in events if event.type == "error"][:50]
    return sorted(found, key=lambda mark: mark.at_ms)


def newest(events: Sequence[E], kind: str, name: str = "") -> E | None:
    """The newest report of the view itself or of one of its vitals, the one that counts."""
    found = [e for e in events if e.type == kind and (not name or e.name == name)]
    return max(found, key=lambda e: (e.seq, len(e.event_id), e.event_id), default=None)


def _span(event: EventShape, zero_ns: int, parent: str) -> Span:
    is_request = event.type in {"view", "fetch"} and event.span_id
    name = {
        "view": f"view {event.route}",
        "fetch": f"{event.name} {event.endpoint}",
        "feed": f"{event.name or 'feed'}, batch {event.batch or '?'}",
        "resource": event.endpoint or event.url or event.initiator,
        "longframe": f"long {event.name or 'frame'}",
    }[event.type]
    return Span(
        span_id=event.span_id if is_request else event.event_id,
        parent_id=parent,
        name=name,
        kind="Client" if event.type == "fetch" else "Internal",
        service="browser",
        start_ns=zero_ns + round(event.at_ms * 1e6),
        duration_ns=round((event.duration_ms or 0.0) * 1e6),
        status="Error" if event.failure or (event.status_code or 0) >= 400 else "Unset",
        status_message=event.failure,
        event_type=event.type,
        view_id="",
        event_id=event.event_id,
        server_span_id=event.server_span_id,
        trace_source=event.trace_source,
        failure=event.failure,
    )
