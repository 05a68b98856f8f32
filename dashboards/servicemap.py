"""Map: how data flows, from the browser through the services to the stores, as its spans show it."""

import math
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query.question import BadQuestion, Question
from collector.query.services import Edge, Services, services
from collector.query.vitals import FEWEST
from collector.traces.layers import lay_out
from dashboards.numbers import NARROW
from dashboards.site import Page, Site

KINDS = {
    "browser": "browser",
    "service": "service",
    "store": "store",
    "queue": "queue",
    "third": "other origin",
    "dark": "sends no spans",
}


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in to one box, over all its callers."""

    calls: int
    p75_ms: float | None
    errors: int


@dataclass(frozen=True, slots=True)
class Slowest:
    """A call, and how much of its p75 the one who is called needs itself."""

    edge: Edge
    own_ms: float


async def page(site: Site, request: Request) -> Page:
    """The page at `/map` and its twins; `?new_since=2026-11-01` marks what was not called before."""
    q, since = site.question(request), _new_since(request)
    panels = await site.ask(request, {"map": partial(services, site.store, q, since)})
    found: Services = panels["map"].value or Services([], 1)
    context: dict[str, Any] = {
        "found": found, "layout": lay_out(found.edges), "loads": _loads(found.edges), "kinds": KINDS,
        "rate": partial(rate, question=q, nth=found.nth), "since": since,
        "weight": partial(weight, most=max((edge.calls for edge in found.edges), default=1)),
        "marks": [(name, (q.until - timedelta(days=days)).strftime("%Y-%m-%d"))
                  for name, days in (("yesterday", 1), ("a week ago", 7), ("a month ago", 30))],
        "slowest": slowest(found.edges), "kept": {"new_since": request.query_params.get("new_since", "")},
    }  # fmt: skip
    rows = [asdict(edge) | {"calls": edge.calls * _times(edge, found)} for edge in found.edges]
    facts = {"one_trace_in": found.nth, "new_since": since}
    return Page("map.html", "Map", q, "/map", panels, {"calls": rows}, facts, context)


def rate(edge: Edge, question: Question, nth: int) -> str:
    """How often, in the largest unit that leaves a number to read."""
    per_second = edge.calls * (1 if edge.kind == "third" else nth) / question.span.total_seconds()
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600), ("day", 86_400)):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:,.3g}{NARROW}/{NARROW}{unit}"
    return f"{per_second * 86_400:.2g}{NARROW}/{NARROW}day"


def slowest(edges: list[Edge]) -> Slowest | None:
    """The service that takes longest by itself, of those with calls enough to say so: its own answer, less the slowest that
    it waits for."""
    found = [
        Slowest(
            edge,
            edge.p75_ms - max((below.p75_ms or 0.0 for below in edges if below.source == edge.target), default=0.0),
        )
        for edge in edges
        if edge.kind == "service" and edge.calls >= FEWEST and edge.p75_ms is not None
    ]
    return max((one for one in found if one.own_ms > 0), key=lambda one: one.own_ms, default=None)


def weight(edge: Edge, most: int) -> int:
    """How thick an arrow is, 1 to 5: each step is three times as many calls."""
    return max(1, 5 - round(math.log(most / edge.calls, 3)))


def _times(edge: Edge, found: Services) -> int:
    return 1 if edge.kind == "third" else found.nth


def _loads(edges: list[Edge]) -> dict[str, Load]:
    into: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        into[edge.target].append(edge)
    return {
        name: Load(
            sum(edge.calls for edge in some),
            max(some, key=lambda edge: edge.calls).p75_ms,
            sum(edge.errors for edge in some),
        )
        for name, some in into.items()
    }


def _new_since(request: Request) -> datetime | None:
    text = request.query_params.get("new_since", "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"new_since={text!r} is not a date such as 2026-11-01") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
