"""Overview: is it fine? where not? Vitals, the routes that cost most, feeds, errors and the newest views of one app."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.alerts.rules import Rule
from collector.query import alerts, markers, overview, summary, vitals
from collector.query.alerts import StoredFlip
from collector.query.question import Question
from collector.query.vitals import LIMITS, Vital
from dashboards import plots
from dashboards.alerts import enabled, rules_of
from dashboards.feeds import feed_row
from dashboards.panels import Panel
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables, percentile

WEEK = timedelta(days=7)


async def page(site: Site, request: Request) -> Page:
    """The page at `/`, and its twins at `/overview.json` and `/overview.csv`."""
    q = site.question(request)
    asked: dict[str, Callable[[], Any]] = {
        "summary": partial(summary.summary, site.store, q),
        "markers": partial(markers.markers, site.store, q),
        "feeds": partial(overview.feeds, site.store, q),
        "errors": partial(overview.errors, site.store, q),
        "views": partial(overview.recent_views, site.store, q),
        "standing": partial(alerts.newest_flips, site.store),
    }
    if q.span != WEEK:  # of a week, the period before is the week before
        earlier = q.between(q.since - WEEK, q.until - WEEK)
        asked["week"] = partial(vitals.vitals, site.store, earlier, is_alone=True)
    answers = await site.ask(request, asked)
    top = answers.pop("summary")
    parts = {"week": "before", "vitals": "vitals", "series": "series", "routes": "routes"}
    panels = {name: replace(top, value=getattr(top.value, part, None)) for name, part in parts.items()} | answers
    measured = {vital.name: vital for vital in panels["vitals"].value or []}
    context: dict[str, Any] = {
        "presence": None,
        "cards": [(limit, measured.get(name)) for name, limit in LIMITS.items()],
        "week": {vital.name: vital.p75 for vital in panels["week"].value or []},
        "releases": [marker for marker in panels["markers"].value or [] if marker.kind == "release"],
        "alerts": watched(site, q, panels["standing"].value or []),
        "marks": plots.placed(panels["markers"].value or [], q),
    }
    if panels["views"].is_answered and not panels["views"].value:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        context["presence"] = found["presence"].value
    return Page("overview.html", q.app, q, "/", panels, tables(q, panels), context=context)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the rules of one app say: what fires, how many rules watch, how many of them still learn."""

    firing: list[tuple[Rule, StoredFlip]]
    rules: int
    learning: int


def watched(site: Site, q: Question, standing: Sequence[StoredFlip]) -> Watched:
    """The alerts of the question's app, the newest first."""
    rules = rules_of(site.watch.folder if site.watch else None, standing)
    own = {name: rule for name, rule in rules.items() if rule.app == q.app}
    firing = [(own[flip.rule], flip) for flip in standing if flip.is_firing and flip.rule in own]
    on = [rule.id for rule in enabled(site) if rule.app == q.app]
    known = {flip.rule for flip in standing if flip.after != "learning"}
    firing.sort(key=lambda pair: pair[1].fired_at or pair[1].at, reverse=True)
    return Watched(firing, len(on), len(set(on) - known))


def tables(question: Question, panels: dict[str, Panel]) -> Tables:
    """Every panel as rows."""
    found = {name: panel.value or [] for name, panel in panels.items()}
    return {
        "vitals": [{**vital_row(vital), **_week_row(vital.name, found["week"])} for vital in found["vitals"]],
        "releases": [asdict(marker) for marker in found["markers"] if marker.kind == "release"],
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
        "feeds": [feed_row(feed) for feed in found["feeds"]],
        "errors": [asdict(group) for group in found["errors"]],
        "views": [asdict(view) for view in found["views"]],
        "series": [
            {"at": vitals.bucket_start(question, point.bucket)}
            | {name: value for name, value in asdict(point).items() if name != "bucket"}
            for point in found["series"]
        ],
    }


def _week_row(name: str, week: Sequence[Vital]) -> Row:
    """How one vital was a week earlier."""
    then = next((vital.p75 for vital in week if vital.name == name), None)
    return {"week_p75": then.value if then else None, "week_n": then.n if then else 0}


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
