"""People: one user, one session or one team: what is happening to them, and whether it is only them.

Somebody's few views make no percentile; so each is drawn into the distribution of everybody on the same pages, and said to
be slower only where chance does not explain it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.query import overview, people, view
from collector.query.condition import literal
from collector.query.overview import RecentView
from collector.query.people import Moment, Standing
from collector.query.question import EPOCH, RANGES, BadQuestion, Question
from dashboards.panels import Panel
from dashboards.site import HEADERS, Page, Site
from dashboards.twins import Tables

MOST_ROUTES = 20


@dataclass(frozen=True, slots=True)
class Dot:
    """One view in a strip of everybody's: x in percent, capped at the right edge."""

    x: float
    title: str
    link: str
    is_slow: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One view in a timeline, with what went wrong in it and the pause since the one before."""

    view: RecentView
    moments: list[Moment]
    after: timedelta | None


async def user(site: Site, request: Request) -> Page:
    """The page at `/users/{id}` and its twins."""
    name = request.path_params["user_id"]
    return await _page(site, request, site.question(request), "user", name)


async def team(site: Site, request: Request) -> Page:
    """The page at `/teams/{t}` and its twins."""
    name = request.path_params["team"]
    return await _page(site, request, site.question(request), "team", name)


async def session(site: Site, request: Request) -> Page:
    """The page at `/sessions/{id}` and its twins; a session outside the range is looked for further back."""
    q, name = site.question(request), request.path_params["session_id"]
    found = await site.ask(request, {"views": partial(view.session_views, site.store, q, name)})
    seen = found["views"].value or []
    if found["views"].is_answered and not seen:
        context = {"what": "session", "id": name}
        title = f"session {name[:8]}"
        return Page("missing.html", title, q, f"/sessions/{name}", found, {"views": []}, context=context, status=404)
    if seen and seen[0].timestamp <= q.since:
        wide = next((r for r, length in RANGES.items() if q.until - length < seen[0].timestamp), "30d")
        q = q.over(wide)
    return await _page(site, request, q, "session", name)


async def _page(site: Site, request: Request, q: Question, kind: str, name: str) -> Page:
    """One of the three kinds; `own` is the question narrowed to whom the page is about."""
    own = q.narrowed(**{kind: name})
    path = f"/{kind}s/{name}"
    panels = await site.ask(
        request,
        {
            "views": partial(overview.recent_views, site.store, own, people.VIEWS),
            "moments": partial(people.moments, site.store, own),
            "rates": partial(people.rates, site.store, own),
            "routes": partial(overview.routes, site.store, own),
        },
    )
    views: list[RecentView] = panels["views"].value or []
    others = _everybody(q, kind, [row.route for row in panels["routes"].value or []])
    presence = None
    if views:
        panels |= await site.ask(
            request,
            {
                "levels": partial(people.everybody, site.store, others),
                "all": partial(people.rates, site.store, others),
            },
        )
    elif panels["views"].is_answered:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = found["presence"].value
    levels = (panels["levels"].value if "levels" in panels else None) or []
    standings = [people.standing(level, views) for level in levels]
    standings.sort(key=lambda s: people.CORE.index(s.level.name))
    context: dict[str, Any] = {
        "kind": kind, "name": name, "own": own, "presence": presence, "standings": standings, "strip": partial(strip, own),
        "timeline": timeline(views, panels["moments"].value or []), "sessions": sessions(views), "odd": odd(panels),
        "newest": views[0] if views else None, "are_most": are_most(panels),
    }  # fmt: skip
    title = f"{kind} {name[:8] if kind == 'session' else name}"
    return Page("person.html", title, q, path, panels, tables(views, standings, panels), {kind: name}, context)


def _everybody(q: Question, kind: str, routes: Sequence[str]) -> Question:
    """The same time without whom the page is about, on the same routes if these are few enough to name."""
    found = replace(q, where=tuple(pair for pair in q.where if pair[0] != kind))
    for route in routes[:MOST_ROUTES] if kind != "team" and len(routes) <= MOST_ROUTES else ():
        if route:
            found = found.where_also("route", literal(route))
    return found


def strip(q: Question, standing: Standing, views: Sequence[RecentView]) -> tuple[list[Dot], float, dict[str, float]]:
    """Dots of somebody's views on everybody's scale; where the scale ends; and its p10, p50, p75, p90 in percent."""
    level = standing.level
    end = max(level.p90 * 1.8, level.p75 * 1.2, 1e-9)
    dots = []
    for seen in views:
        value = getattr(seen, level.name.lower())
        if value is not None and not seen.is_hidden:
            x = round(100 * min(value, end) / end, 2)
            dots.append(Dot(x, seen.path, q.link(f"/views/{seen.view_id}"), value > level.p75))
    marks = {name: round(100 * getattr(level, name) / end, 2) for name in ("p10", "p50", "p75", "p90")}
    return dots, end, marks


def timeline(views: Sequence[RecentView], moments: Sequence[Moment]) -> list[Entry]:
    """Views, the newest first, each with its moments in order."""
    by_view: dict[str, list[Moment]] = {}
    for moment in reversed(moments):
        by_view.setdefault(moment.view_id, []).append(moment)
    earlier = [*views[1:], None][: len(views)]
    return [
        Entry(seen, by_view.get(seen.view_id, []), seen.timestamp - before.timestamp if before else None)
        for seen, before in zip(views, earlier, strict=True)
    ]


def sessions(views: Sequence[RecentView]) -> list[tuple[str, int, RecentView]]:
    """Sessions among the views: id, number of views, the newest view; the newest first."""
    found: dict[str, list[RecentView]] = {}
    for seen in views:
        found.setdefault(seen.session_id, []).append(seen)
    return [(name, len(own), own[0]) for name, own in found.items()]


def are_most(panels: dict[str, Panel]) -> bool:
    """Whether more than half of everybody's views are theirs, so that there are too few others to be held against."""
    own, everyone = panels["rates"].value, panels["all"].value if "all" in panels else None
    return bool(own and everyone and own.views * 2 > everyone.views)


def odd(panels: dict[str, Panel]) -> list[tuple[str, float, float, str]]:
    """What goes wrong, for them and for everybody: (words, theirs, everybody's, a unit's word)."""
    own, everyone = panels["rates"].value, panels["all"].value if "all" in panels else None
    if not own or not everyone or not own.views or not everyone.views:
        return []
    return [
        ("Errors", own.errors / own.views, everyone.errors / everyone.views, "a view"),
        ("Failed requests", own.failed / max(1, own.requests), everyone.failed / max(1, everyone.requests), "share"),
        ("Requests", own.requests / own.views, everyone.requests / everyone.views, "a view"),
        ("Clicks in vain", own.angry / own.views, everyone.angry / everyone.views, "a view"),
    ]


def tables(views: Sequence[RecentView], standings: Sequence[Standing], panels: dict[str, Panel]) -> Tables:
    """Everything as rows."""
    return {
        "standings": [
            {**asdict(s.level), "own_n": len(s.values), "own_above_p75": s.slower, "chance": s.chance,
             "is_slower": s.is_slower}
            for s in standings
        ],
        "rates": [
            {"whose": whose, **asdict(panels[panel].value)}
            for whose, panel in (("own", "rates"), ("everybody", "all"))
            if panel in panels and panels[panel].value
        ],
        "views": [asdict(seen) for seen in views],
        "moments": [asdict(moment) for moment in panels["moments"].value or []],
    }  # fmt: skip


PLACES: dict[str, Callable[[Question, str], str]] = {
    "view": lambda q, text: q.here(f"/views/{text}"),
    "session": lambda q, text: q.here(f"/sessions/{text}"),
    "trace": lambda q, text: q.here(f"/traces/{text}"),
    "user": lambda q, text: q.here(f"/users/{text}"),
    "route": lambda q, text: q.narrowed(route=text).here("/routes"),
    "team": lambda q, text: q.here(f"/teams/{text}"),
    "release": lambda q, text: q.narrowed(release=text).here("/"),
}


def search(site: Site) -> Callable[[Request], Any]:
    """`/search?text=…`: to whatever has that name; a page that says what was looked for where nothing has."""

    async def answer(request: Request) -> Response:
        try:
            q = site.question(request)
        except BadQuestion:
            q = Question(next(iter(site.settings.apps), ""), EPOCH)
        text = request.query_params.get("text", "").strip()[:256]
        found = await site.ask(request, {"named": partial(people.named, site.store, q, text)})
        kinds: list[str] = (found["named"].value or []) if text else []
        if kinds:
            return RedirectResponse(PLACES[kinds[0]](q, text), 303, HEADERS)
        page = Page("found.html", "Search", q, "/search", found, {}, context={"text": text})
        html = site.render("found.html", page=page, request=request, is_away=False, text=text)
        return Response(html, 404, HEADERS, "text/html; charset=utf-8")

    return answer
