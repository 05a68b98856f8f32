"""Routes: all of them in a table; with the question narrowed to one, that route in depth.

`/routes?route=/products/:id` is one route: its address is the question like everywhere else, and no slash of a route has
to survive a path. `/routes/products/:id`, which one may type, leads there.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.query import feeds, markers, overview, route, vitals
from collector.query.overview import Route
from collector.query.question import Question
from collector.query.route import Parts
from collector.query.vitals import LIMITS, Vital
from dashboards import plots
from dashboards.charts import Segment
from dashboards.feeds import CAUSE_WORDS, causes
from dashboards.numbers import ms
from dashboards.overview import vital_row
from dashboards.panels import Panel
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables, percentile

SORTS = ("loss", "views", "lcp", "inp", "requests", "errors")


async def page(site: Site, request: Request) -> Page:
    """The page at `/routes` and its twins."""
    q = site.question(request)
    chosen = q.filters.get("route")
    return await (_one(site, request, q, chosen) if isinstance(chosen, str) else _all(site, request, q))


async def typed(request: Request) -> Response:
    """`/routes/products/:id` → `/routes?route=/products/:id`, other parameters kept."""
    route_of = "/" + request.path_params["route"].lstrip("/")
    return RedirectResponse(str(request.url.replace(path="/routes").include_query_params(route=route_of)), 307)


async def _all(site: Site, request: Request, q: Question) -> Page:
    sort = request.query_params.get("sort", "loss")
    sort = sort if sort in SORTS else "loss"
    panels = await site.ask(request, {"routes": partial(overview.routes, site.store, q)})
    found: list[Route] = panels["routes"].value or []
    presence = None
    if panels["routes"].is_answered and not found:
        asked = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = asked["presence"].value
    rows = sorted(found, key=lambda r: -_key(r, sort))
    return Page(
        "routes.html", "Routes", q, "/routes", panels, {"routes": [route_row(r) for r in rows]},
        context={"presence": presence, "routes": rows, "sort": sort, "worst": max((r.loss for r in found), default=0)},
    )  # fmt: skip


def _key(of: Route, sort: str) -> float:
    if sort in {"lcp", "inp"}:
        value = of.lcp if sort == "lcp" else of.inp
        return value.value if value and value.is_enough else -1.0
    return float({"requests": of.requests_per_view or 0}.get(sort, getattr(of, sort)) or 0)


async def _one(site: Site, request: Request, q: Question, name: str) -> Page:
    vital = q.metric.upper() if q.metric.upper() in LIMITS else "LCP"
    panels = await site.ask(
        request,
        {
            "vitals": partial(vitals.vitals, site.store, q),
            "series": partial(vitals.series, site.store, q),
            "heat": partial(route.heat, site.store, q, vital),
            "culprits": partial(route.culprits, site.store, q, vital),
            "breakdown": partial(route.breakdown, site.store, q, vital),
            "slow": partial(route.slow_views, site.store, q, vital),
            "types": partial(feeds.page_types, site.store, q),
            "markers": partial(markers.markers, site.store, q),
        },
    )
    measured: dict[str, Vital] = {found.name: found for found in panels["vitals"].value or []}
    presence = None
    if panels["types"].is_answered and not panels["types"].value and not measured:
        asked = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = asked["presence"].value
    elif vital == "LCP" and "LCP" in measured:
        slow_from = measured["LCP"].p75.value
        panels |= await site.ask(request, {"parts": partial(route.lcp_parts, site.store, q, slow_from)})
    seen = panels["markers"].value or []
    heat = plots.heat(panels["heat"].value or [], route.edges(vital), vital, q, seen)
    context: dict[str, Any] = {
        "presence": presence, "route": name, "vital": vital, "limit": LIMITS[vital], "scaled": scaled,
        "cards": [(limit, measured.get(known)) for known, limit in LIMITS.items()],
        "band": plots.band(panels["series"].value or [], vital, q, seen), "heat": heat,
        "kind": next(iter(panels["types"].value or []), None), "causes": causes, "CAUSE_WORDS": CAUSE_WORDS,
    }  # fmt: skip
    return Page("route.html", f"{name} · route", q, "/routes", panels, tables(q, vital, panels), context=context)


def scaled(of: Parts, longest: float) -> list[Segment]:
    """LCP's parts as a bar that is as long as they are beside the longest one."""
    values = [(name, getattr(of, name)) for name in route.PARTS]
    found, x = [], 0.0
    for name, value in values:
        width = 100 * value / longest if longest else 0.0
        found.append(
            Segment(name, round(x, 3), round(width, 3), f"{name.removesuffix('_ms').replace('_', ' ')} {ms(value)}")
        )
        x += width
    return found


def route_row(of: Route) -> Row:
    """One route, flat."""
    return {
        "route": of.route, "views": of.views, "requests": of.requests, "requests_per_view": of.requests_per_view,
        "errors": of.errors, "loss": of.loss, **percentile("lcp_", of.lcp), **percentile("inp_", of.inp),
    }  # fmt: skip


def tables(q: Question, vital: str, panels: dict[str, Panel]) -> Tables:
    """Every panel of one route as rows."""
    steps = [0.0, *route.edges(vital)]
    edge: Sequence[float | None] = [*route.edges(vital), None]
    return {
        "vitals": [vital_row(one) for one in panels["vitals"].value or []],
        "series": [
            {"at": vitals.bucket_start(q, point.bucket)} | {n: v for n, v in asdict(point).items() if n != "bucket"}
            for point in panels["series"].value or []
            if point.name == vital
        ],
        "heat": [
            {"at": vitals.bucket_start(q, c.bucket), "from": steps[c.step], "below": edge[c.step], "views": c.views}
            for c in panels["heat"].value or []
        ],
        "parts": [asdict(parts) for parts in (panels["parts"].value if "parts" in panels else None) or []],
        "elements": [
            {"target": c.target, "url": c.url, "views": c.views, "poor": c.poor, **percentile("", c.p75)}
            for c in panels["culprits"].value or []
        ],
        "breakdown": [
            {"dimension": i.dimension, "item": i.item, "views": i.views, "poor": i.poor, **percentile("", i.p75)}
            for items in (panels["breakdown"].value or {}).values()
            for i in items
        ],
        "slow": [asdict(view) for view in panels["slow"].value or []],
    }
