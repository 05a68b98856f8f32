"""Measure: any metric, by any groups, over time: the one place where a question's metric becomes SQL. Alerts call it too.

    measure(store, question.asking(metric="lcp", aggregate="p75", group_by=("route",)), slices=40)

gives groups, the largest first, each with its `Figure` over the whole time and one for each slice of it: the value, the n
it rests on, the users, and the interval in which the true value lies 95 times of 100. Percentiles are exact up to EXACT
events in the window; beyond, `is_exact` is false and pages write ≈. Sampled sessions count as those they stand for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from collector.query.fields import BadQuestion, Field, field_of
from collector.query.metrics import LEVELS, METRICS, SHARES, Metric, check_aggregate, fewest_beyond, metric_of
from collector.query.question import Question, ask, bound, milliseconds, sql, where_of
from collector.query.spread import Bounds, grid, of_quantile, of_ratio, of_share
from collector.store import Store
from collector.store.spans import read_from

EXACT = 10_000_000
GROUPS = 50
POINTS = 100_000
SAMPLE = 1_000
FEWEST = {"rate": 30, "share_poor": 30, "share_good": 30, "count": 0}


@dataclass(frozen=True, slots=True)
class Figure:
    """One value and what it rests on. `n` are views or events as they came, `size` those they stand for; `low` and `high`
    bound the true value (None: open-ended, or a plain count). `good` and `poor` are sizes by the metric's limits."""

    value: float | None
    n: int
    users: int
    size: float
    low: float | None = None
    high: float | None = None
    good: int = 0
    poor: int = 0
    fewest: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether n is large enough to speak of this aggregate at all."""
        return self.value is not None and self.n >= self.fewest


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one slice of time, which begins at `start`, itself excluded."""

    slice: int
    start: datetime
    figure: Figure


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its values of `group_by` in their order ("" where not known), its figure and its course."""

    key: tuple[str, ...]
    figure: Figure
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The answer. `more` groups were left out, the smallest ones."""

    question: Question
    metric: Metric
    aggregate: str
    groups: list[Group]
    more: int
    is_exact: bool
    slices: int

    @property
    def figure(self) -> Figure:
        """The figure of a question without groups."""
        nothing = Figure(0.0 if self.aggregate == "count" or self.metric.is_count else None, 0, 0, 0.0)
        return self.groups[0].figure if self.groups else nothing


def measure(
    store: Store, question: Question, slices: int = 0, most: int = GROUPS, first: Literal["size", "value"] = "size"
) -> Measurement:
    """Measure the question's metric (LCP unless it names one) by its groups, at most `most`: those with the largest
    `first`. With `slices` > 0 each group comes with its course over that many equal slices; empty ones are absent."""
    metric = metric_of(question.metric or "lcp")
    aggregate = check_aggregate(metric.name, question.aggregate)
    rows_there, is_even = rows_in_window(store, question, metric)
    is_exact = rows_there <= EXACT
    compiled = Compiled(question, metric, aggregate, is_exact, is_even)
    rows = compiled.run(store, 0, most, first)
    found = {_key(question, row): Group(_key(question, row), _figure(row, metric, aggregate, question)) for row in rows}
    if slices and found:
        for row in compiled.run(store, slices, POINTS, first, list(found)):
            start = question.since + question.span * (row["slice"] / slices)
            figure = _figure(row, metric, aggregate, question, slices)
            found[_key(question, row)].points.append(Point(row["slice"], start, figure))
    more = max(0, rows[0]["found"] - len(rows)) if rows else 0
    return Measurement(question, metric, aggregate, list(found.values()), more, is_exact, slices)


def rows_in_window(store: Store, question: Question, metric: Metric) -> tuple[int, bool]:
    """How many events a metric may have to look at, and whether all of them stand for equally many."""
    row = ask(store, "rows_in_window", question, types=list(metric.types))[0]
    return int(row["n"]), bool(row["is_even"])


class Compiled:
    """A metric and a question as SQL: `values` is one row per view or event, `text` the figures over them."""

    def __init__(
        self, question: Question, metric: Metric, aggregate: str, is_exact: bool = True, is_even: bool = False
    ) -> None:
        """`is_even`: all weights are the same, and percentiles need none, which takes less."""
        self.question, self.metric, self.aggregate = question, metric, aggregate
        self.is_exact, self.is_even = is_exact, is_even
        self.parameters: dict[str, Any] = bound(question)
        self.fields = [field_of(name) for name in question.group_by]
        self.keys = [f"g{nr}" for nr in range(len(self.fields))]
        self.is_own_time = metric.source == "units" and metric.key != "view_id"
        make = {"events": self._events, "vitals": self._vitals, "units": self._units}[metric.source]
        self.values = make()

    def bind(self, value: object, kind: str) -> str:
        """A value as a parameter that the engine binds."""
        name = f"m_{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def run(
        self, store: Store, slices: int, most: int, first: str, only: list[tuple[str, ...]] | None = None
    ) -> list[dict[str, Any]]:
        """The rows of measure.sql, for the groups in `only` if it is given."""
        text, parameters = self.complete(slices, most, first, only)
        return store.read(read_from(text, store.traces_table), parameters)

    def complete(
        self, slices: int, most: int, first: str = "size", only: list[tuple[str, ...]] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """SQL and parameters."""
        parameters = self.parameters | {"most": most} | self._limits()
        if slices:
            parameters["step_ms"] = (self.question.at - milliseconds(self.question.since)) / slices
        values = self.values
        if only and self.keys:
            parameters["only"] = [list(key) for key in only]
            values = f"SELECT * FROM ({values}) WHERE [{', '.join(self.keys)}] IN {{only:Array(Array(String))}}"
        return self.text(values, slices, first), parameters

    def text(self, values: str, slices: int = 0, first: str = "size") -> str:
        """The SQL of the figures over rows of `values`."""
        level = LEVELS.get(self.aggregate)
        order = {"size": "size DESC,", "value": f"{self._value()} DESC,"}[first]
        pieces = {
            "keys": "".join(f"{key}, " for key in self.keys),
            "slice": self.slice("came_at") if slices else "toInt64(0)",
            "levels": self._quantiles(level) if level else "[0.]",
            "sample": f"if(n < {SAMPLE}, arraySort(groupArrayIf({SAMPLE})((v, weight), unit)), [])" if level else "[]",
            "order": "slice," if slices else order,
        }
        values = values.replace("/* slices */", f", {self.slice('events.received_at')}" if slices else "")
        return _filled("measure", pieces | {"values": f"\n{values}\n"})

    @staticmethod
    def slice(moment: str) -> str:
        """In which of the slices of `step_ms` a moment lies."""
        return f"toInt64(floor((toUnixTimestamp64Milli({moment}) - 1 - {{since_ms:Int64}}) / {{step_ms:Float64}}))"

    def _value(self) -> str:
        if self.aggregate in LEVELS:
            return "levels[1]"
        return {"share_poor": "poor / size", "share_good": "good / size", "rate": "amount / size"}.get(
            self.aggregate, "amount"
        )

    def _quantiles(self, level: float) -> str:
        # quantileExactWeighted takes the lower neighbour where level × weight is whole, quantileExact the upper one; a
        # level a hair higher makes both the same.
        hair = 0.0 if self.is_exact and self.is_even else 1e-9
        levels = ", ".join(f"{one:.9f}" for one in [level + hair, *grid(level)])
        if self.is_exact and self.is_even:
            return f"quantilesExactIf({levels})(v, unit)"
        how = "quantilesExactWeightedIf" if self.is_exact else "quantilesBFloat16WeightedIf"
        return f"{how}({levels})(v, weight, unit)"

    def _limits(self) -> dict[str, float]:
        limit = self.metric.limit
        return {"good": limit.good, "poor": limit.poor} if limit else {"good": math.inf, "poor": math.inf}

    def _types(self) -> str:
        types = list(self.metric.types)
        return f"events.type IN {self.bind(types, 'Array(String)')}" if types else "1"

    def _events(self) -> str:
        keys = [_text(f.expression(self.bind)) for f in self.fields]
        if self.metric.name in METRICS:
            value = self.metric.sql
        else:
            value = field_of(self.metric.name).expression(self.bind)
            value = f"toFloat64OrNull({value})" if self.metric.name.startswith("attr.") else value
        scope = where_of(self.question).of_events(self.metric.types)
        pieces = {"keys": _named(keys), "value": value, "scope": scope, "types": self._types()}
        return _filled("values_events", pieces | {"joined": self.metric.joined})

    def _vitals(self) -> str:
        keys = [_text(self._of_view(f, "age")) for f in self.fields]
        scope = where_of(self.question).of_views()
        return _filled("values_vitals", {"keys": _named(keys), "value": self.metric.sql, "scope": scope})

    def _of_view(self, own: Field, age: str) -> str:
        """A field's value in a group of one view's rows."""
        value = own.expression(self.bind)
        if not own.is_of_view:
            name = self.metric.limit.name if self.metric.limit else ""
            if not name or own.name not in {"target", "cause", "url", "hour"}:
                raise BadQuestion(f"{self.metric.name} has one value for each view and cannot be grouped by {own.name}")
            return f"argMaxIf({value}, {age}, events.name = {self.bind(name, 'String')})"
        return f"argMax({value}, {age})" if own.key or own.name == "user" else f"any({value})"

    def _units(self) -> str:
        scope, counted = where_of(self.question).of_parts([t for t in self.metric.types if t != "view"])
        key = f"events.{self.metric.key}"
        pieces = {"value": self.metric.sql, "counted": counted, "scope": scope, "types": self._types()}
        if not self.is_own_time:
            keys = [_text(self._of_view(f, "events.seq")) for f in self.fields]
            pieces |= {
                "keys": _named(keys), "came": "min(events.received_at)", "weight": "any(events.sample_n)",
                "unit": "countIf(events.type = 'view') > 0", "by": f"reinterpretAsUInt128(unhex({key}))",
            }  # fmt: skip
            return _filled("values_units", pieces)
        # Somebody who came back in another slice, or with another browser, is counted there too.
        keys = [_text(f.expression(self.bind)) for f in self.fields]
        weight = "1" if self.metric.key == "user_id" else "any(events.sample_n)"
        pieces |= {
            "keys": _named(keys), "came": "min(events.received_at)", "weight": weight, "unit": "true",
            "scope": f"{scope} AND {counted} AND {key} != ''", "by": f"{', '.join([*self.keys, key])} /* slices */",
        }  # fmt: skip
        return _filled("values_units", pieces)


def _text(value: str) -> str:
    return f"ifNull(toString({value}), '')"


def _named(values: list[str]) -> str:
    return "".join(f"{value} AS g{nr}, " for nr, value in enumerate(values))


def _filled(name: str, pieces: Mapping[str, str]) -> str:
    text = sql(name)
    for mark, piece in pieces.items():
        text = text.replace(f"/* {mark} */", piece)
    return text


def _key(question: Question, row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[f"g{nr}"] for nr in range(len(question.group_by)))


def _figure(row: Mapping[str, Any], metric: Metric, aggregate: str, question: Question, slices: int = 1) -> Figure:
    value, bounds = _value(row, metric, aggregate, question.span.total_seconds() / 60 / max(1, slices))
    level = LEVELS.get(aggregate)
    fewest = fewest_beyond(level) if level else FEWEST[aggregate] if not metric.is_count else 0
    return Figure(value, row["n"], row["users"], row["size"], *bounds, row["good"], row["poor"], fewest)


def _value(row: Mapping[str, Any], metric: Metric, aggregate: str, minutes: float) -> tuple[float | None, Bounds]:
    size, amount = row["size"], row["amount"]
    if aggregate == "count":
        return (amount if metric.is_count or metric.unit == "share" else size), (None, None)
    if metric.is_count:
        return amount / minutes, (None, None)
    if not size:
        return None, (None, None)
    effective = size * size / row["squares"]
    if aggregate in LEVELS:
        return row["levels"][0], of_quantile(row["sample"], row["levels"][1:], LEVELS[aggregate], effective)
    if aggregate in SHARES:
        share = row["poor" if aggregate == "share_poor" else "good"] / size
        return share, of_share(share, effective)
    if metric.unit == "share":
        return amount / size, of_share(amount / size, effective)
    return amount / size, of_ratio(amount, size, row["amount_squares"], row["amount_products"], row["squares"])
