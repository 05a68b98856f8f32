"""Tracing: a waterfall as templates draw it: one window of its rows, with what each span carries."""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from starlette.requests import Request

from collector.query.question import BadQuestion, Question
from collector.query.trace import Lengths, Pair, Rank, Span, SpanDetails, span_details, span_lengths
from collector.query.view import EventShape
from collector.store import Store
from collector.traces.waterfall import Row, Waterfall, draw, members_of
from dashboards.panels import beside

WINDOW = 500
TIMED = ("view", "fetch", "mark")  # browser events that are spans of the store
FOLD_WINDOW = 50
WHOLE = 100  # rows at most that a page brings with all they carry; of more, each row is asked for when it is opened
LARGE = 5_000
T = TypeVar("T")
SERVICE_COLOURS = 8
_WINDOW = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)-(\d{1,9}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True)
class Line:
    """A row on the page: its number, what its span carries unless the row is brief, and, of a fold, the rows within."""

    nr: int
    row: Row
    colour: str
    details: SpanDetails | None
    event: EventShape | None
    inner: tuple["Line", ...] = ()
    rank: Rank | None = None
    is_critical: bool = False
    is_target: bool = False
    is_brief: bool = False
    anchor: str = ""


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

    def draw(self, spans: Sequence[Span], events: Sequence[EventShape], pairs: Sequence[Pair] = ()) -> Waterfall:
        """The waterfall; `pairs` bound the clocks over the whole session."""
        bounds = _WINDOW.fullmatch(self.window)
        window = (float(bounds[1]), float(bounds[2])) if bounds else None
        return draw(spans, events, raw=self.clock == "raw", fold=self.fold != "off", window=window, pairs=pairs)


class LastLarge:
    """The last very large waterfall: the next window of it should not cost seconds again. One, because it is tens of MB."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[object, Any] = (None, None)

    def get(self, key: object, draw: Callable[[], tuple[Waterfall, T]]) -> tuple[Waterfall, T]:
        """What `draw` gives, or gave for the same key."""
        with self._lock:
            known, value = self._kept
        if known == key:
            return cast(tuple[Waterfall, T], value)
        drawn = draw()
        if drawn[0].spans > LARGE:
            with self._lock:
                self._kept = (key, drawn)
        return drawn


class Likes:
    """How long spans of the same operations took. Of a trace's first spans it is asked while the trace is drawn."""

    def __init__(self, store: Store, question: Question, spans: Sequence[Span] = ()) -> None:
        self._asked = {(span.service, span.name) for span in spans[:WINDOW]}
        self._ask = partial(span_lengths, store, question)
        self._reading = beside(partial(self._ask, self._asked))

    def of(self, operations: set[tuple[str, str]]) -> dict[tuple[str, str], Lengths]:
        """By operation (service, name), those that were not among the first too."""
        return self._reading.result() | self._ask(operations - self._asked)


def sheet(
    store: Store, question: Question, trace_id: str, picture: Waterfall, events: Sequence[EventShape], likes: Likes,
    first: int, window: int, target: str = "",
) -> Sheet:  # fmt: skip
    """Rows `first` to `first + window`, with their spans' ranks and attributes: of many rows only of the `target`, which is
    open."""
    shown = picture.rows[first : first + window]
    inner = {id(row): members_of(row, FOLD_WINDOW) for row in shown if row.members}
    everything = [*shown, *(row for rows in inner.values() for row in rows)]
    are_brief = len(everything) > WHOLE and bool(trace_id)
    ids = [row.node.span.span_id for row in everything if not row.members]
    if are_brief:
        ids = [target] if target in ids else []
    reading = beside(partial(span_details, store, question, trace_id, ids if trace_id else []))
    by_id = {event.event_id: event for event in events}
    named = {(span.service, span.name) for row in everything if (span := row.node.span).event_type in {"", *TIMED}}
    lengths = likes.of(named)
    details = {found.span_id: found for found in reading.result()}
    palette, anchors = colours(picture), set[str]()

    def line(nr: int, row: Row) -> Line:
        within = tuple(line(nr, below) for below in inner.get(id(row), []))
        span = row.node.span
        colour = palette["network" if span.event_type in {"fetch", "resource"} else span.service]
        alike = lengths.get((span.service, span.name)) if not row.members and span.duration_ns else None
        anchor = "" if row.members or span.span_id in anchors else f"span-{span.span_id}"
        anchors.add(span.span_id)
        return Line(
            nr, row, colour, details.get(span.span_id), by_id.get(span.event_id), within,
            alike.rank(span.duration_ns) if alike else None, picture.is_critical(row),
            bool(anchor and span.span_id == target), bool(are_brief and anchor and span.span_id != target), anchor,
        )  # fmt: skip

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
            "is_critical": id(node) in picture.critical,
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
                "steps": offset.steps,
                "stepped_ms": offset.stepped_ms,
                "taken_off_ms": offset.ms,
            }
            for offset in picture.offsets
        ],
    }
