"""Search: traces by what one of their spans is, and by the views they belong to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from collector.query.question import BadQuestion, Question, ask
from collector.query.weights import one_trace_in
from collector.store import Store

FOUND = 300
LISTED = 30
OPERATIONS = 40
LONGEST_MS = 86_400_000.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for in a trace: a span with all of this. Durations in milliseconds; `attribute` is `key` or
    `key=value`, of the span or its resource."""

    service: str = ""
    operation: str = ""
    longer: str = ""
    shorter: str = ""
    failed: str = ""
    attribute: str = ""
    sort: str = ""

    def __post_init__(self) -> None:
        for name in ("longer", "shorter"):
            _ms(name, getattr(self, name))
        if self.sort not in {"", "slowest"}:
            raise BadQuestion(f"sort={self.sort!r} is not known; traces come newest first, or with sort=slowest")

    @property
    def is_any(self) -> bool:
        """Whether nothing is said of the span, so that a trace's root is meant."""
        return not (self.service or self.operation or self.failed or self.attribute)

    def parameters(self) -> dict[str, str | int]:
        """For the query."""
        key, equals, value = self.attribute.partition("=")
        return {
            "service": self.service,
            "operation": self.operation,
            "failed": int(bool(self.failed)),
            "longer_ns": round(_ms("longer", self.longer) * 1e6),
            "shorter_ns": round((_ms("shorter", self.shorter) or LONGEST_MS) * 1e6),
            "key": key.strip(),
            "value": value.strip(),
            "any_value": int(not equals),
            "is_root": int(self.is_any),
            "slowest": int(self.sort == "slowest"),
        }


@dataclass(slots=True)
class Found:
    """One trace by the slowest of its spans that were looked for; `spans`, `errors` and `services` are of the whole trace,
    and filled in for those that are listed."""

    trace_id: str
    span_id: str
    service: str
    name: str
    started_at: datetime
    duration_ms: float
    failed: bool
    spans: int = 0
    errors: int = 0
    services: list[str] = field(default_factory=list)
    route: str = ""
    view_id: str = ""


@dataclass(frozen=True, slots=True)
class Finds:
    """The first FOUND traces, out of `traces` that have `spans` spans of what was looked for. Those `drawn` are these, or,
    if there are more, one in `nth` of all, unless the slowest were asked for."""

    found: list[Found]
    traces: int
    spans: int
    drawn: list[Found]
    nth: int = 1


def traces_found(store: Store, question: Question, wanted: Wanted) -> Finds:
    """Traces of the question's time with a span that is wanted; its filters are those of the views they belong to."""
    rows = _rows(store, question, wanted)
    found = _found(rows)
    traces, spans = (rows[0]["all_traces"], rows[0]["all_spans"]) if rows else (0, 0)
    by_id = {trace.trace_id: trace for trace in found[:LISTED]}
    for row in trace_summaries(store, question, list(by_id)):
        trace = by_id[row["trace_id"]]
        trace.spans, trace.errors, trace.services = row["spans"], row["errors"], row["services"]
        trace.route, trace.view_id = row["route"], row["view_id"]
    if traces <= FOUND or wanted.sort:
        return Finds(found, traces, spans, found)
    nth = one_trace_in(traces, FOUND)
    return Finds(found, traces, spans, _found(_rows(store, question, wanted, nth)), nth)


def _rows(store: Store, question: Question, wanted: Wanted, nth: int = 1) -> list[dict[str, Any]]:
    given = {"is_narrowed": int(bool(question.where)), "limit": FOUND, "nth": nth}
    return ask(store, "traces_found", question, **given, **wanted.parameters())


def _found(rows: list[dict[str, Any]]) -> list[Found]:
    return [
        Found(
            row["trace_id"], row["span_id"], row["service"], row["name"], row["started_at"], row["duration_ms"],
            bool(row["errors"]),
        )
        for row in rows
    ]  # fmt: skip


def trace_summaries(store: Store, question: Question, ids: list[str]) -> list[dict[str, Any]]:
    """What is in each of these traces."""
    return ask(store, "trace_summaries", question, ids=ids) if ids else []


def operations(store: Store, question: Question) -> dict[str, list[str]]:
    """Every service that sent spans in the question's time, with its busiest operations; the busiest service first."""
    found: dict[str, list[str]] = {}
    for row in ask(store, "operations", question, each=OPERATIONS):
        found.setdefault(row["service"], []).append(row["operation"])
    return found


def _ms(name: str, text: str) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST_MS:
        raise BadQuestion(f"{name}={text!r} is not a number of milliseconds up to a day")
    return value
