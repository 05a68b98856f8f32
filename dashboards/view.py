"""View: one page view in depth: where its time went first, then vitals, feeds, requests, errors and facts."""

import json
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query.question import Question
from collector.query.trace import session_traces, trace_pairs, trace_spans
from collector.query.view import Event, session_views, view_events
from collector.query.vitals import LIMITS
from collector.traces.weave import newest
from dashboards.panels import Panel, beside
from dashboards.site import Page, Site
from dashboards.tracing import Drawing, Likes, Sheet, facts_of, sheet

ROWS = 200


async def page(site: Site, request: Request) -> Page:
    """The page at `/views/{id}` and its twins."""
    q, drawing = site.question(request), Drawing.of(request)
    view_id = request.path_params["view_id"]
    path = f"/views/{view_id}"
    found = await site.ask(request, {"events": partial(view_events, site.store, q, view_id)})
    events: list[Event] = found["events"].value or []
    if not events:
        return Page(
            "missing.html", f"view {view_id[:8]}", q, path, found, {"events": []},
            context={"what": "view", "id": view_id}, status=404,
        )  # fmt: skip
    if events[0].app != q.app and events[0].app in site.settings.apps:
        q = q.about(events[0].app)
    head = newest(events, "view") or events[0]
    panels = await site.ask(
        request,
        {
            "sheet": partial(_sheet, site, q, events, drawing),
            "session": partial(session_views, site.store, q, head.session_id),
        },
    )
    rows = [asdict(event) for event in events]
    own = panels["sheet"].value
    facts = {"view_id": view_id, "trace_id": head.trace_id, "trace": facts_of(own.picture) if own else None}
    return Page(
        "view.html", f"{head.path} · view {view_id[:8]}", q, path, found | panels, {"events": rows}, facts,
        _context(events, head, panels["session"]) | {"kept": drawing.kept},
    )  # fmt: skip


def _sheet(site: Site, question: Question, events: list[Event], drawing: Drawing) -> Sheet:
    trace_id = next((event.trace_id for event in events if event.trace_id and event.trace_source != "foreign"), "")
    if not trace_id:
        return sheet(site.store, question, "", drawing.draw([], events), events, Likes(site.store, question), 0, ROWS)
    near_ms = round(events[0].timestamp.timestamp() * 1000)
    traces = session_traces(site.store, question, events[0].session_id, near_ms)
    pairing = beside(partial(trace_pairs, site.store, question, traces))
    spans = trace_spans(site.store, question, trace_id)
    likes = Likes(site.store, question, spans)
    picture = drawing.draw(spans, events, pairing.result())
    return sheet(site.store, question, trace_id, picture, events, likes, 0, ROWS)


def _context(events: list[Event], head: Event, session: Panel) -> dict[str, Any]:
    def of(kind: str) -> list[Event]:
        return [event for event in events if event.type == kind]

    seen = session.value or []
    place = next((nr for nr, view in enumerate(seen) if view.view_id == head.view_id), None)
    return {
        "view": replace(head, visibility=events[-1].visibility if head.visibility == "" else head.visibility),
        "events": events,
        "vitals": [(limit, event) for limit in LIMITS.values() if (event := newest(events, "vital", limit.name))],
        "feeds": of("feed"),
        "fetches": of("fetch"),
        "resources": of("resource"),
        "errors": [(event, trail(event.breadcrumbs)) for event in of("error")],
        "session_place": place,
        "session_views": seen,
        "attributes": {name: value for event in events for name, value in event.attributes.items()},
    }


def trail(breadcrumbs: str) -> list[tuple[float, str, str]]:
    """What came before an error: (ms from the view's start, kind, text). What is not in that shape is left out."""
    try:
        crumbs = json.loads(breadcrumbs or "[]")
    except json.JSONDecodeError:
        return []
    return [
        (float(crumb[0]), str(crumb[1]), str(crumb[2]))
        for crumb in (crumbs if isinstance(crumbs, list) else [])
        if isinstance(crumb, list) and len(crumb) == 3 and isinstance(crumb[0], int | float)
    ]
