"""Summary: what heads the overview, in one pass: each vital, its course, and the routes by what they cost.

The same numbers as `vitals`, `series` and `routes` give, which ask for one of them alone (a test holds them equal).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.query.metrics import LIMITS
from collector.query.overview import ROUTES, Route
from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import BUCKETS, Percentile, Point, Vital, percentile
from collector.query.weights import ask_weighing
from collector.store import Store

BY_PERIOD, BY_SLICE, BY_ROUTE = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Summary:
    """Vitals beside the period before, their course, and the routes that cost most."""

    vitals: list[Vital]
    series: list[Point]
    routes: list[Route]

    @property
    def before(self) -> list[Vital]:
        """The vitals of the period before, with nothing beside them."""
        return [Vital(vital.name, vital.before, 0, 0, 0, 0) for vital in self.vitals if vital.before]


def summary(store: Store, question: Question) -> Summary:
    """Everything at once."""
    before = {"since_ms": milliseconds(question.since - question.span)}
    limits = {"goods": [limit.good for limit in LIMITS.values()], "poors": [limit.poor for limit in LIMITS.values()]}
    step = {"step_ms": (question.at - milliseconds(question.since)) / BUCKETS}
    rows = ask_weighing(store, "summary", question, **before, **limits, **step)
    return Summary(
        _vitals([row for row in rows if row["mask"] == BY_PERIOD and (row["n"] or row["hidden"])]),
        _series([row for row in rows if row["mask"] == BY_SLICE and row["bucket"] >= 0 and row["n"]]),
        _routes([row for row in rows if row["mask"] == BY_ROUTE], ask(store, "traffic", question)),
    )


def _vitals(rows: list[dict[str, Any]]) -> list[Vital]:
    periods = {(row["name"], row["is_now"]): row for row in rows}
    found = []
    for name in LIMITS:
        now, then = periods.get((name, 1)), periods.get((name, 0))
        if now:
            before = _percentile(then) if then and then["n"] else None
            counts = (now["good"], now["mixed"], now["poor"], now["hidden"])
            found.append(Vital(name, _percentile(now), *counts, before))
    return found


def _series(rows: list[dict[str, Any]]) -> list[Point]:
    rows = sorted(rows, key=lambda row: (row["name"], row["bucket"]))
    return [
        Point(row["name"], row["bucket"], row["levels"][0], row["levels"][1], row["levels"][2], row["n"])
        for row in rows
    ]


def _routes(rows: list[dict[str, Any]], traffic: list[dict[str, Any]]) -> list[Route]:
    """Routes with traffic or vitals, those that cost most first."""
    measured = {(row["route"], row["name"]): row for row in rows}
    loads = {row["route"]: row for row in traffic}
    # Views that nobody saw are under a name no route has.
    names = (set(loads) | {route for (route, _), row in measured.items() if row["n"]}) - {"\0"}
    nothing = {"views": 0, "requests": 0, "errors": 0, "loss": 0.0, "n": 0}
    found = []
    for name in names:
        load, lcp, inp = loads.get(name, nothing), measured.get((name, "LCP")), measured.get((name, "INP"))
        loss = sum(measured.get((name, vital), nothing)["loss"] for vital in ("LCP", "INP", "CLS"))
        counts = (load["views"], load["requests"], load["errors"], loss)
        found.append(Route(name, *counts, *(_percentile(row) if row and row["n"] else None for row in (lcp, inp))))
    found.sort(key=lambda route: (-route.loss, -route.errors, -route.views, route.route))
    return found[:ROUTES]


def _percentile(row: Mapping[str, Any]) -> Percentile:
    return percentile({**row, "p75": row["levels"][1], "around": row["levels"][3:]}, "")
