"""Explore: the values behind a metric, before any percentile: by time and size, one by one; and its SQL in plain text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.query.measure import Compiled
from collector.query.metrics import Metric, check_aggregate, metric_of
from collector.query.question import Question, bound, milliseconds, sql, where_of
from collector.store import Store
from collector.store.spans import read_from

ROWS = 100
STEPS = {
    "ms": (
        5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 650, 800, 1_000, 1_300, 1_800, 2_500, 3_000, 4_000, 5_000, 6_500,
        8_000, 10_000, 15_000, 30_000, 60_000,
    ),
    "bytes": (100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 3e7, 1e8),
    "px": (100, 200, 300, 500, 800, 1_200, 2_000, 3_000, 5_000, 8_000, 12_000, 20_000, 50_000),
    "cls": (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1),
    "": (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000, 3_000, 10_000, 100_000),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """So many values (`size` with weights) of a slice of time that are at least `edge` and less than the next one."""

    slice: int
    edge: float
    size: int
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """One event behind a metric."""

    timestamp: datetime
    type: str
    name: str
    route: str
    url: str
    value: float | None
    duration_ms: float | None
    status_code: int | None
    message: str
    browser: str
    os: str
    country: str
    release: str
    user_id: str
    view_id: str
    trace_id: str
    event_id: str
    sample_n: int


def edges_of(metric: Metric) -> list[float]:
    """The lower ends of the steps a metric's values are sorted into; what is less than 0 has a step of its own."""
    steps = STEPS["cls"] if metric.name == "cls" else STEPS.get(metric.unit, STEPS[""])
    return [float("-inf"), 0.0, *map(float, steps)]


def value_grid(store: Store, question: Question, slices: int) -> list[Spot]:
    """How the values of the question's metric are spread over time and size; groups are not told apart."""
    metric = metric_of(question.metric or "lcp")
    compiled = Compiled(question.asking(group_by=(), aggregate=""), metric, metric.aggregate)
    text = sql("value_grid").replace("/* slice */", compiled.slice("came_at")).replace("/* values */", compiled.values)
    step_ms = (question.at - milliseconds(question.since)) / slices
    parameters = compiled.parameters | {"edges": edges_of(metric), "step_ms": step_ms}
    text = read_from(text.replace("/* slices */", ""), store.traces_table)
    return [Spot(**row) for row in store.read(text, parameters)]


def sample_rows(store: Store, question: Question, most: int = ROWS) -> list[Row]:
    """The newest events the question's metric is made of."""
    metric = metric_of(question.metric or "lcp")
    where = where_of(question)
    types = list(metric.types)
    scope = where.of_events(types) if metric.source == "events" else where.of_views()
    named = metric.limit.name if metric.limit and metric.source == "vitals" else ""
    test = "(empty({types:Array(String)}) OR events.type IN {types:Array(String)})"
    text = sql("sample_rows").replace("/* scope */", scope)
    text = text.replace("/* types */", f"{test} AND ({{named:String}} = '' OR events.name = {{named:String}})")
    rows = store.read(text, bound(question) | {"types": types, "named": named, "most": most})
    return [Row(**row) for row in rows]


def as_sql(question: Question, slices: int = 0, most: int = 50) -> str:
    """What `measure` asks the engine, as one SELECT that stands by itself, its parameters written out."""
    metric = metric_of(question.metric or "lcp")
    compiled = Compiled(question, metric, check_aggregate(metric.name, question.aggregate))
    return written_out(*compiled.complete(slices, most))


def written_out(text: str, parameters: Mapping[str, Any]) -> str:
    """SQL with its parameters as literals, for people to read, copy and change; what pages ask is always bound."""

    def literal(match: re.Match[str]) -> str:
        return _literal(parameters[match[1]])

    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--") and line.strip()]
    return re.sub(r"\{(\w+):[^{}]+\}", literal, "\n".join(lines))


def _literal(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\0", "\\0")
        return f"'{escaped}'"
    if isinstance(value, Sequence):
        return f"[{', '.join(_literal(one) for one in value)}]"
    return str(value)
