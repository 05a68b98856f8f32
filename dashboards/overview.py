"""Overview: is it fine? where not? Vitals, the routes that cost most, feeds, errors and the newest views of one app."""

from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import overview, vitals
from collector.query.question import Question
from collector.query.vitals import LIMITS, Vital
from dashboards.panels import Panel
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables, percentile


async def page(site: Site, request: Request) -> Page:
    """The page at `/`, and its twins at `/overview.json` and `/overview.csv`."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {
            "vitals": partial(vitals.vitals, site.store, q),
            "series": partial(vitals.series, site.store, q),
            "routes": partial(overview.routes, site.store, q),
            "feeds": partial(overview.feeds, site.store, q),
            "errors": partial(overview.errors, site.store, q),
            "views": partial(overview.recent_views, site.store, q),
        },
    )
    measured = {vital.name: vital for vital in panels["vitals"].value or []}
    context: dict[str, Any] = {
        "presence": None,
        "cards": [(limit, measured.get(name)) for name, limit in LIMITS.items()],
    }
    if panels["views"].is_answered and not panels["views"].value:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        context["presence"] = found["presence"].value
    return Page("overview.html", q.app, q, "/", panels, tables(q, panels), context=context)


def tables(question: Question, panels: dict[str, Panel]) -> Tables:
    """Every panel as rows."""
    found = {name: panel.value or [] for name, panel in panels.items()}
    return {
        "vitals": [vital_row(vital) for vital in found["vitals"]],
        "routes": [
            {
                "route": route.route,
                "views": route.views,
                "requests": route.requests,
                "requests_per_view": route.requests_per_view,
                "errors": route.errors,
                "loss": route.loss,
                **percentile("lcp_", route.lcp),
                **percentile("inp_", route.inp),
            }
            for route in found["routes"]
        ],
        "feeds": [
            {
                **{name: value for name, value in asdict(feed).items() if name not in {"paint", "stall", "depth"}},
                **percentile("paint_ms_", feed.paint),
                **percentile("stall_ms_", feed.stall),
                **percentile("depth_px_", feed.depth),
            }
            for feed in found["feeds"]
        ],
        "errors": [asdict(group) for group in found["errors"]],
        "views": [asdict(view) for view in found["views"]],
        "series": [
            {"at": vitals.bucket_start(question, point.bucket)}
            | {name: value for name, value in asdict(point).items() if name != "bucket"}
            for point in found["series"]
        ],
    }


def vital_row(vital: Vital) -> Row:
    """One vital, flat."""
    limit = LIMITS[vital.name]
    return {
        "name": vital.name,
        "unit": limit.unit,
        **percentile("", vital.p75),
        "is_enough": vital.p75.is_enough,
        "rating": limit.rate(vital.p75.value),
        "good": vital.good,
        "needs_improvement": vital.mixed,
        "poor": vital.poor,
        "views": vital.views,
        "hidden": vital.hidden,
        "before_p75": vital.before.value if vital.before else None,
        "before_n": vital.before.n if vital.before else 0,
    }
