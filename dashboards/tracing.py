"""Tracing: a waterfall as templates draw it: one window of its rows, with what each span carries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from collector.query.question import BadQuestion, Question
from collector.query.trace import Span, SpanDetails, span_details
from collector.query.view import Event
from collector.store import Store
from collector.traces.waterfall import Row, Waterfall, draw, members_of

WINDOW = 500
FOLD_WINDOW = 50
SERVICE_COLOURS = 8
_WINDOW = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)-(\d{1,9}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True)
class Line:
    """A row on the page: its number, what its span carries, and, of a fold, the rows within."""

    nr: int
    row: Row
    colour: str
    details: SpanDetails | None
    event: Event | None
    inner: tuple["Line", ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A window of a waterfall."""

    picture: Waterfall
    lines: list[Line]
    first: int
    colours: dict[str, str]

    def names_of(self, host: str) -> str:
        """The services on a host: what a reader knows it by."""
        nodes = self.picture.tree.nodes()
        return ", ".join(dict.fromkeys(n.span.service for n in nodes if n.span.host == host and not n.span.is_browser))

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.lines)

    @property
    def is_whole(self) -> bool:
        """Whether every row is on the page."""
        return len(self.lines) == len(self.picture.rows)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the address wants a waterfall drawn: `clock=raw`, `fold=off`, `window=START-END` in milliseconds."""

    clock: str = ""
    fold: str = ""
    window: str = ""

    @classmethod
    def of(cls, request: Request) -> "Drawing":
        """Read it from a request; raises `BadQuestion`."""
        asked = cls(*(request.query_params.get(name, "") for name in ("clock", "fold", "window")))
        if asked.window and not _WINDOW.fullmatch(asked.window):
            raise BadQuestion(f"window={asked.window!r} is not two numbers of milliseconds such as 120-480.5")
        return asked

    @property
    def kept(self) -> dict[str, str]:
        """As parameters, for links that keep it or change one part of it."""
        return {"clock": self.clock, "fold": self.fold, "window": self.window}

    def draw(self, spans: Sequence[Span], events: Sequence[Event]) -> Waterfall:
        """The waterfall."""
        bounds = _WINDOW.fullmatch(self.window)
        window = (float(bounds[1]), float(bounds[2])) if bounds else None
        return draw(spans, events, raw=self.clock == "raw", fold=self.fold != "off", window=window)


def sheet(
    store: Store, question: Question, trace_id: str, picture: Waterfall, events: Sequence[Event], first: int, window: int
) -> Sheet:  # fmt: skip
    """Rows `first` to `first + window`, with the attributes of the spans on them."""
    shown = picture.rows[first : first + window]
    inner = {id(row): members_of(row, FOLD_WINDOW) for row in shown if row.members}
    everything = [*shown, *(row for rows in inner.values() for row in rows)]
    ids = [row.node.span.span_id for row in everything if not row.members]
    details = {found.span_id: found for found in (span_details(store, question, trace_id, ids) if trace_id else [])}
    by_id = {event.event_id: event for event in events}

    palette = colours(picture)

    def line(nr: int, row: Row) -> Line:
        within = tuple(line(nr, below) for below in inner.get(id(row), []))
        span = row.node.span
        colour = palette["network" if span.event_type in {"fetch", "resource"} else span.service]
        return Line(nr, row, colour, details.get(span.span_id), by_id.get(span.event_id), within)

    return Sheet(picture, [line(first + nr, row) for nr, row in enumerate(shown, 1)], first, palette)


def colours(picture: Waterfall) -> dict[str, str]:
    """Each backend service's colour, as a class; the browser's, the network's and what nobody saw have their own."""
    services = dict.fromkeys(node.span.service for node in picture.tree.nodes() if not node.span.is_browser)
    own = {"browser": "s-browser", "network": "s-network", "unseen": "s-unseen"}
    return own | {name: f"s-{nr % SERVICE_COLOURS + 1}" for nr, name in enumerate(services)}


def rows_of(picture: Waterfall) -> list[dict[str, Any]]:
    """The tree as flat rows for the twins, folds opened: parents before their children."""
    return [
        {
            "span_id": node.span.span_id,
            "parent_span_id": node.parent.span.span_id if node.parent else "",
            "named_parent_span_id": node.span.parent_id,
            "service": node.span.service,
            "name": node.span.name,
            "kind": node.span.kind,
            "type": node.span.event_type,
            "host": node.span.host,
            "start_ms": round(node.start_ms, 6),
            "duration_ms": node.duration_ms,
            "shift_ms": node.shift_ms,
            "status": node.span.status,
            "status_message": node.span.status_message,
            "note": node.note,
        }
        for node in picture.tree.nodes()
    ]


def facts_of(picture: Waterfall) -> dict[str, Any]:
    """What is to be said of a trace beyond its rows."""
    return {
        "spans": picture.spans,
        "length_ms": picture.whole_ms,
        "missing_parents": picture.tree.missing,
        "repeated_ids": picture.tree.repeated,
        "loops": picture.tree.looped,
        "is_cut": picture.is_cut,
        "own_ms": dict(picture.shares),
        "clocks": [
            {
                "host": offset.host,
                "browser_ahead_ms": offset.browser_ahead_ms,
                "error_ms": offset.error_ms,
                "pairs": offset.pairs,
                "source": offset.source,
                "is_contradictory": offset.is_contradictory,
                "taken_off_ms": offset.ms,
            }
            for offset in picture.offsets
        ],
    }
