"""Services: who calls whom, from the browser to the stores, as the spans of a question's time show it.

A busy time is read one trace in n, the same traces for everybody, and says so.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from collector.query.question import Question, ask
from collector.query.weights import one_trace_in
from collector.store import Store

EDGES = 400
THIRD_PARTIES = 12
READ_SPANS = 50_000
REPEATED, REPEATS = 4, 5
HISTORY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from one to another, as many as were read. `kind` is of the target: `service`, `store`, `queue`, `dark` (it
    sends no spans, or got no traceparent) or `third` (another origin, asked by the page, which may hide how long it took:
    no p75). The example is the slowest."""

    source: str
    target: str
    kind: str
    calls: int
    p75_ms: float | None
    errors: int
    reads: int = 0
    writes: int = 0
    first_at: datetime | None = None
    trace_id: str = ""
    span_id: str = ""
    view_id: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """An operation called again and again: `most` times in `trace_id`, `took_ms` in all; in `traces` of those that were
    read, one in `one_in`."""

    service: str
    operation: str
    most: int
    traces: int
    took_ms: float
    trace_id: str
    caller: str
    one_in: int


@dataclass(frozen=True, slots=True)
class Services:
    """The map's edges, the busiest first. One trace in `nth` was read."""

    edges: list[Edge]
    nth: int
    new_since: datetime | None = None
    has_history: bool = False
    gone: list[tuple[str, str]] = field(default_factory=list)


def services(store: Store, question: Question, new_since: datetime | None = None) -> Services:
    """Who calls whom; with `new_since`, which calls were not made in the seven days before that."""
    edges, nth = _edges(store, question)
    edges += third_parties(store, question)
    if new_since is None:
        return Services(edges, nth)
    earlier = question.between(new_since - HISTORY, min(new_since, question.until))
    before, _ = _edges(store, earlier)
    before += third_parties(store, earlier)
    known, now = ({(edge.source, edge.target) for edge in some} for some in (before, edges))
    marked = [replace(edge, is_new=bool(known) and (edge.source, edge.target) not in known) for edge in edges]
    return Services(marked, nth, new_since, bool(known), sorted(known - now))


def _edges(store: Store, question: Question) -> tuple[list[Edge], int]:
    nth = one_trace_in(span_count(store, question), READ_SPANS)
    rows = ask(store, "map_edges", question, nth=nth, limit=EDGES, is_narrowed=int(bool(question.where)))
    return [Edge(**row) for row in rows], nth


def repeats(store: Store, question: Question) -> list[Repeat]:
    """Operations called several times within one trace, those first of which most calls could be spared."""
    nth = one_trace_in(span_count(store, question), READ_SPANS)
    asked = {"nth": nth, "fewest": REPEATED, "limit": REPEATS, "is_narrowed": int(bool(question.where))}
    rows = ask(store, "repeats", question, **asked)
    if not rows:
        return []
    spans = {"traces": [row["trace_id"] for row in rows], "spans": [row["parent_id"] for row in rows]}
    callers = {row["span_id"]: row["service"] for row in ask(store, "callers", question, **spans)}
    return [
        Repeat(
            row["service"], row["operation"], row["most"], row["traces"], row["took_ms"], row["trace_id"],
            callers.get(row["parent_id"], ""), nth,
        )
        for row in rows
    ]  # fmt: skip


def span_count(store: Store, question: Question) -> int:
    """How many spans came in the question's time."""
    return int(ask(store, "span_count", question)[0]["n"])


def third_parties(store: Store, question: Question) -> list[Edge]:
    """Other origins that the page itself asked, the busiest first."""
    rows = ask(store, "third_parties", question, limit=THIRD_PARTIES)
    return [Edge("browser", row.pop("host"), "third", **row) for row in rows]
