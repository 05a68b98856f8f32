"""History: what an alert rule measures, cut into the steps at which it is evaluated; all windows from one question.

`measure` answers for one window. A rule asks for many that overlap, so it gets the parts: for each group and step what each
view (session, event) brought, under the same conditions and by the same rules. Windows put together from them count what
`measure` counts over the same time.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from collector.query.fields import field_of
from collector.query.measure import Compiled
from collector.query.metrics import METRICS, check_aggregate, metric_of
from collector.query.question import Question, ask, sql, where_of
from collector.store import QueryFailed, Store
from collector.store.spans import read_from

MOST_GROUPS = 1_000
MOST_ROWS = 1_000_000
MOST_BYTES = 256 << 20
TOO_MANY_ROWS_OR_BYTES = 396


class TooMuch(Exception):  # noqa: N818
    """A rule asks for more than can be looked at; the sentence says of what, and what to do."""


class Columns(NamedTuple):
    """Parallel lists, one item for each view or event and step (counted from the question's start)."""

    steps: list[int]
    came_ms: list[int]
    keys: list[int]
    values: list[float]  # NaN: this step brought no value
    ages: list[int]
    hidden: list[int]
    seqs: list[int]
    weights: list[int]
    units: list[int]
    users: list[int]


class Part(NamedTuple):
    """What one group brought, in the order of time."""

    group: tuple[str, ...]
    columns: Columns


def history(store: Store, question: Question, step_s: int, also: tuple[str, ...] = ()) -> Iterator[Part]:
    """The parts of a question's time, in steps of `step_s` that end at its end; `also` are fields to group by besides."""
    compiled = _Parts(question.asking(group_by=(*question.group_by, *also)))
    text = compiled.history()
    parameters = compiled.parameters | {"step_ms": step_s * 1_000}
    keys = compiled.keys
    try:
        text = read_from(text, store.traces_table)
        rows = store.read(text, parameters, max_result_rows=MOST_ROWS, max_result_bytes=MOST_BYTES)
    except QueryFailed as error:
        if error.code != TOO_MANY_ROWS_OR_BYTES:
            raise
        raise TooMuch(
            f"more than {MOST_BYTES >> 20} MiB of values would have to be looked at; narrow `where`, group by something"
            " coarser, or look at a shorter time"
        ) from None
    if len(rows) > MOST_GROUPS:
        raise TooMuch(
            f"{len(rows)} groups, and {MOST_GROUPS} are looked at; narrow `where` or group by something coarser"
        )
    for row in rows:
        yield Part(tuple(row[key] for key in keys), Columns(*(row[name] for name in Columns._fields)))


def first_event(store: Store, question: Question) -> datetime | None:
    """When the app first sent anything within a question's time, whatever the filters."""
    row = ask(store, "first_event", question)[0]
    return row["first"] if row["n"] else None


class _Parts(Compiled):
    """A metric as SQL whose rows are cut by step: `measure`'s rules, one `GROUP BY` finer."""

    def __init__(self, question: Question) -> None:
        metric = metric_of(question.metric or "lcp")
        super().__init__(question, metric, check_aggregate(metric.name, question.aggregate))

    def history(self) -> str:
        """The text of the query over the parts."""
        keys = "".join(f"{key}, " for key in self.keys)
        text = sql("history").replace("/* keys */", keys).replace("/* by */", ", ".join(self.keys) or "()")
        return text.replace("/* parts */", f"\n{self._parts()}\n")

    def _parts(self) -> str:
        by = "".join(f"{key}, " for key in self.keys)
        group = [f.expression(self.bind) for f in self.fields]
        named = "".join(f"ifNull(toString({value}), '') AS g{nr}, " for nr, value in enumerate(group))
        where = where_of(self.question)
        pieces: dict[str, Any] = {"named": named, "by": by, "value": self._part_value(), "types": self._types()}
        if self.metric.source == "events":
            pieces |= {"scope": where.of_events(self.metric.types), "joined": self.metric.joined}
        elif self.metric.source == "vitals":
            pieces["scope"] = where.of_views()
            name = self.metric.limit.name if self.metric.limit else ""
            pieces["own"] = f"events.name = '{name}'" if name else "1"
        else:
            scope, counted = where.of_parts(self.metric.types)
            pieces |= {"scope": scope, "counted": counted, "key": f"events.{self.metric.key}"}
            pieces["unit"] = "countIf(events.type = 'view') > 0" if self.metric.key == "view_id" else "true"
        text = sql({"vitals": "parts_vitals", "units": "parts_units", "events": "parts_events"}[self.metric.source])
        for mark, piece in pieces.items():
            text = text.replace(f"/* {mark} */", piece)
        return text

    def _part_value(self) -> str:
        if self.metric.source != "events" or self.metric.name in METRICS:
            return self.metric.sql
        value = field_of(self.metric.name).expression(self.bind)
        return f"toFloat64OrNull({value})" if self.metric.name.startswith("attr.") else value
