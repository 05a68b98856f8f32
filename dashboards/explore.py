"""Explore: any metric of any part of the traffic, by any field: over time, by size, as a table, row by row, or by SQL."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import markers
from collector.query.condition import literal
from collector.query.explore import ROWS, as_sql, sample_rows, value_grid
from collector.query.fields import FIELDS
from collector.query.measure import Figure, Measurement, measure
from collector.query.metrics import AGGREGATES, METRICS, Metric, check_aggregate, metric_of
from collector.query.question import BadQuestion, Question
from collector.query.tables import readable
from collector.store import WITHDRAWN, Forbidden, QueryFailed, Store
from collector.store.engine import NO_TABLE
from collector.store.freely import TABLES
from dashboards import figures, spreads
from dashboards.panels import OUT_OF_TIME, Panel
from dashboards.site import Page, Site, is_for_programs
from dashboards.twins import Row

SLICES = 48
LINES = 8
GROUPS = 200
FREE_ROWS = 1_000
VIEWS = {"series": "over time", "table": "table", "histogram": "histogram", "heatmap": "heatmap", "rows": "rows"}
_PLACE = re.compile(r":? failed at position \d+ \(.*?\) \(line (\d+), col (\d+)\)", re.DOTALL)
_AT_END = re.compile(r":? failed at position \d+ \((end of query|\))\) \(line \d+, col \d+\).*", re.DOTALL)
GROUPABLE = [name for name, field in FIELDS.items() if field.kind == "text"]


async def page(site: Site, request: Request) -> Page:
    """The page at `/explore` and its twins; with `?sql=` (or `view=sql`) that of SQL by hand."""
    given = request.query_params
    asked = metric_of(given.get("metric") or "lcp")
    # A form that was sent with another metric still names an aggregate of the one before.
    is_left = given.get("aggregate") in set(AGGREGATES) - set(asked.aggregates)
    q = site.question(request, leave_out="aggregate" if is_left else "")
    if q.view == "sql":
        return await _by_hand(site, request, q)
    view = q.view or "series"
    if view not in VIEWS:
        raise BadQuestion(f"explore has no view {view!r}; it has {', '.join(VIEWS)} and sql")
    if more := [name for name in given.getlist("also_by") if name.strip()]:  # the form's own field, for any attribute
        q = q.asking(group_by=tuple(dict.fromkeys([*q.group_by, *(name.strip() for name in more)])))
    metric = metric_of(q.metric or "lcp")
    q = q.asking(metric=metric.name, aggregate=check_aggregate(metric.name, q.aggregate))
    slices, most = (SLICES, LINES) if view == "series" else (0, GROUPS)
    questions: dict[str, Any] = {"measured": partial(measure, site.store, q, slices, most)}
    if view in {"series", "heatmap"}:
        questions["markers"] = partial(markers.markers, site.store, q)
    if view in {"histogram", "heatmap"} and not metric.is_count:
        questions["grid"] = partial(value_grid, site.store, q, SLICES)
    if view == "rows":
        questions["rows"] = partial(sample_rows, site.store, q)
    panels = await site.ask(request, questions)
    return Page(
        "explore.html", f"{q.app}: {metric.title}", q, "/explore", panels, tables(panels), facts(q, metric),
        _context(q, metric, view, panels),
    )  # fmt: skip


def _context(q: Question, metric: Metric, view: str, panels: dict[str, Panel]) -> dict[str, Any]:
    measured: Measurement | None = panels["measured"].value
    grid = panels["grid"].value if "grid" in panels and panels["grid"].is_answered else None
    changed = panels["markers"].value or [] if "markers" in panels else []
    return {
        "metric": metric, "view": view, "views": VIEWS, "metrics": METRICS, "groupable": GROUPABLE, "m": measured,
        "plot": figures.lines(measured, q, changed) if measured and view == "series" else None,
        "heat": spreads.heat(grid, metric, q, SLICES, changed) if grid and view == "heatmap" else None,
        "bars": spreads.histogram(grid, metric) if grid and view == "histogram" else None,
        "told": figures.told, "bounds": figures.bounds, "label": figures.label, "only": only,
        "sql": as_sql(q, 0, GROUPS), "most_rows": ROWS,
    }  # fmt: skip


async def _by_hand(site: Site, request: Request, q: Question) -> Page:
    text = request.query_params.get("sql", "").strip().rstrip(";").strip() or as_sql(q, 0, 50)
    panels: dict[str, Panel] = {}
    if "sql" in request.query_params:
        panels = await site.ask(request, {"answer": partial(_answer, site.store, text)})
    answer = panels["answer"].value if panels else None
    columns, rows, problem = answer or ([], [], "")
    context: dict[str, Any] = {"text": text, "columns": columns, "rows": rows, "problem": problem, "most": FREE_ROWS}
    if not is_for_programs(request.url.path):  # no panel: without it the page is whole
        context["known"] = (await site.ask(request, {"tables": partial(readable, site.store)}))["tables"].value
    tables = {"rows": [dict(zip(columns, row, strict=True)) for row in rows]}
    found = {"sql": text, **({"problem": problem} if problem else {})}
    return Page(
        "explore_sql.html", f"{q.app}: SQL", q.asking(view="sql"), "/explore", panels, tables, found, context,
        status=400 if problem else 200,
    )  # fmt: skip


def _answer(store: Store, text: str) -> tuple[list[str], list[list[Any]], str]:
    try:
        columns, rows = store.read_freely(text, most=FREE_ROWS)
    except Forbidden as error:
        return [], [], f"Not here: {error}."
    except QueryFailed as error:
        if error.code in {OUT_OF_TIME, WITHDRAWN}:
            raise
        return [], [], f"The engine says: {_plain(error, text)}"
    return columns, rows, ""


def _plain(error: QueryFailed, asked: str) -> str:
    """What the engine said, without the codes around it, the list of all it would have accepted, and what is put around
    a query here: a line before its first, and its end."""
    text = re.sub(r"^(Code: \d+\. )?(DB::Exception: )*", "", str(error))
    if "Syntax error" in text and re.search(r";\s*\S", asked):
        return "Syntax error: write one SELECT, without a semicolon and what follows it."
    if error.code in NO_TABLE and (unknown := re.search(r"'([^']+)'", text)):
        return f"there is no table {unknown[1]}; there are {', '.join(sorted(TABLES))}."
    if "Unmatched parentheses" in text:
        return "Syntax error: the parentheses do not match."
    text = _AT_END.sub(": the query ends too soon.", text)
    text = _PLACE.sub(lambda place: f" at line {int(place[1]) - 1}, column {place[2]}", text)
    text = re.sub(r"\s*\)? ?(LIMIT \d+ )?FORMAT Native\b", "", text)
    return re.sub(r" (In scope|Expected one of:|\(version) .*", "", text)[:400]


def only(q: Question, key: Sequence[str]) -> Question:
    """The question narrowed to one group, which is then no longer grouped by what all have in common."""
    for name, value in zip(q.group_by, key, strict=True):
        is_number = name in FIELDS and FIELDS[name].is_number
        q = q.where_also(name, value if is_number and value else literal(value))
    return q


def facts(q: Question, metric: Metric) -> Row:
    """What was asked."""
    return {
        "metric": q.metric, "aggregate": q.aggregate, "group_by": list(q.group_by), "unit": metric.unit,
        "title": metric.title,
    }  # fmt: skip


def tables(panels: dict[str, Panel]) -> dict[str, list[Row]]:
    """Groups, their course, and what else the view shows, as rows."""
    measured: Measurement | None = panels["measured"].value
    found: dict[str, list[Row]] = {"groups": [], "series": []}
    if measured:
        names = measured.question.group_by
        for group in measured.groups:
            keys = dict(zip(names, group.key, strict=True))
            found["groups"].append(keys | flat(group.figure))
            found["series"] += [keys | {"at": point.start} | flat(point.figure) for point in group.points]
    for name in ("grid", "rows"):
        if name in panels:
            found[name] = [asdict(one) for one in panels[name].value or []]
    return found


def flat(figure: Figure) -> dict[str, Any]:
    """A figure's columns."""
    return {
        "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n, "users": figure.users,
        "size": figure.size, "is_enough": figure.is_enough,
    }  # fmt: skip
