"""Errors: groups that stay the same across builds, and one group in depth: where, for whom, since which release, and what
came before; its stack in the lines somebody wrote.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import errors, markers, overview
from collector.query.errors import DIMENSIONS, SLICES, Group, Occurrence
from collector.query.question import Question
from collector.sourcemaps import Stack
from dashboards import plots
from dashboards.numbers import count
from dashboards.panels import Panel
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables
from dashboards.view import trail

STATES = ("open", "resolved", "ignored", "all")
HEAD = 22.0  # height of the small columns in a table's row


async def groups_page(site: Site, request: Request) -> Page:
    """The page at `/errors` and its twins."""
    q = site.question(request)
    wanted = request.query_params.get("state", "open")
    wanted = wanted if wanted in STATES else "open"
    team = request.query_params.get("owner", "")[:128]
    panels = await site.ask(request, {"groups": partial(errors.error_groups, site.store, q)})
    found: list[Group] = panels["groups"].value or []
    presence = None
    if panels["groups"].is_answered and not found:
        asked = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = asked["presence"].value
    states = {group.fingerprint: group.state(q.until) for group in found}
    owned = [group for group in found if not team or owner(group) == team]
    shown = [group for group in owned if _fits(states[group.fingerprint], wanted)]
    context: dict[str, Any] = {
        "wanted": wanted,
        "wanted_team": team,
        "teams": sorted({owner(group) for group in found} - {""}),
        "counts": {name: sum(_fits(states[g.fingerprint], name) for g in owned) for name in STATES},
        "groups": [(group, states[group.fingerprint], bars(group)) for group in shown],
        "presence": presence,
        "is_cut": len(found) == errors.GROUPS,
        "owner": owner,
    }
    rows = [_row(group, states[group.fingerprint]) for group in shown]
    facts = {"state": wanted, "owner": team}
    return Page("errors.html", "Errors", q, "/errors", panels, {"groups": rows}, facts, context)


async def group_page(site: Site, request: Request) -> Page:
    """The page at `/errors/{fingerprint}` and its twins."""
    q, fingerprint = site.question(request), request.path_params["fingerprint"]
    path = f"/errors/{fingerprint}"
    panels = await site.ask(
        request,
        {
            "group": partial(errors.error_groups, site.store, q, fingerprint),
            "events": partial(errors.error_events, site.store, q, fingerprint),
            "values": partial(errors.error_values, site.store, q, fingerprint),
            "markers": partial(markers.markers, site.store, q),
        },
    )
    found: list[Group] = panels["group"].value or []
    if panels["group"].is_answered and not found:
        context = {"what": "group of errors", "id": fingerprint}
        return Page("missing.html", "Error", q, path, panels, {"events": []}, {}, context, 404)
    events: list[Occurrence] = panels["events"].value or []
    told = _told(events, request.query_params.get("event", ""))
    if told:
        panels |= await site.ask(request, {"stack": partial(site.maps.stack, q.app, told.release, told.stack)})
    context = _group_context(found[0] if found else None, events, told, panels, q)
    group = found[0] if found else None
    tables: Tables = {
        "events": [_event_row(event) for event in events],
        "releases": [
            {"release": seen.release, "first_seen": seen.began_at, "last_seen": seen.ended_at, "times": seen.times}
            for seen in (group.seen if group else ())
        ],
        "values": [
            {"dimension": value.dimension, "value": value.value, "times": value.times, "views": value.views}
            for value in panels["values"].value or []
        ],
        "frames": _frame_rows(panels["stack"].value if "stack" in panels else None),
    }
    facts = _row(group, group.state(q.until)) if group else {}
    title = f"{group.error_type or group.kind}: {group.message[:60]}" if group else "Error"
    return Page("error.html", title, q, path, panels, tables, facts, context)


def _group_context(
    group: Group | None, events: Sequence[Occurrence], told: Occurrence | None, panels: dict[str, Panel], q: Question
) -> dict[str, Any]:
    values = panels["values"].value or []
    return {
        "group": group,
        "state": group.state(q.until) if group else "open",
        "owner": owner(group) if group else "",
        "plot": course(group, q, panels) if group else None,
        "events": events,
        "told": told,
        "crumbs": trail(told.breadcrumbs) if told else [],
        "dimensions": [
            (name, own) for name in DIMENSIONS
            if (own := [value for value in values if value.dimension == name and (value.value or name == "release")])
        ],
    }  # fmt: skip


def _told(events: Sequence[Occurrence], wanted: str) -> Occurrence | None:
    """The one the page tells: asked for by id, else the newest with a stack and a trace, else the newest."""
    named = [event for event in events if event.event_id == wanted]
    told = [event for event in events if event.stack and event.trace_id] or [event for event in events if event.stack]
    return next(iter([*named, *told, *events]), None)


def owner(group: Group) -> str:
    """Whose it is: whom it was assigned to, else the owner of the route where it was met last."""
    return group.decision.team or group.team


def _fits(state: str, wanted: str) -> bool:
    return wanted in ("all", state) or (wanted == "open" and state == "regressed")


def bars(group: Group) -> list[tuple[float, float]]:
    """Small columns over the question's time: (x in percent, height)."""
    most = max(group.slices.values(), default=1)
    return [(100 * nr / SLICES, max(1.5, HEAD * times / most)) for nr, times in sorted(group.slices.items())]


def course(group: Group, q: Question, panels: dict[str, Panel]) -> plots.Plot:
    """How often over time, with what changed meanwhile."""
    step = (q.until - q.since) / SLICES
    values = []
    for nr, times in sorted(group.slices.items()):
        begin = q.since + step * nr
        words = f"{count(times)} from {_clock(begin)} to {_clock(begin + step)} UTC"
        values.append((nr, [("errors", float(times))], words))
    most = count(max(group.slices.values()))
    sentence = f"{count(group.times)} times in {group.views:,} views; at most {most} in a slice of {_length(step)}."
    return plots.columns(
        values, SLICES, q.asking(metric="errors", aggregate=""), panels["markers"].value or [], sentence,
        heads={"errors": "times"},
    )  # fmt: skip


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M")


def _length(step: timedelta) -> str:
    minutes = step.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes >= 2 else f"{step.total_seconds():.0f} s"


def _row(group: Group, state: str) -> Row:
    regressed = group.regressed_in
    return {
        "fingerprint": group.fingerprint, "state": state, "owner": owner(group), "kind": group.kind,
        "error_type": group.error_type, "message": group.message, "route": group.route, "times": group.times,
        "views": group.views, "users": group.users, "sessions": group.sessions, "first_seen": group.first_seen,
        "last_seen": group.last_seen, "introduced_by": group.introduced_by,
        "regressed_in": regressed.release if regressed else "",
        "regressed_at": regressed.began_at if regressed else None, "view_id": group.view_id,
    }  # fmt: skip


def _event_row(event: Occurrence) -> Row:
    return {name: getattr(event, name) for name in Occurrence.__slots__ if name not in {"stack", "breadcrumbs"}}


def _frame_rows(stack: Stack | None) -> list[Row]:
    return [
        {
            "text": frame.text, "function": frame.function, "file": frame.file, "line": frame.line, "column": frame.column,
            "source": frame.place.source if frame.place else "", "source_line": frame.place.line if frame.place else None,
            "source_column": frame.place.column if frame.place else None,
        }
        for frame in (stack.frames if stack else ())
    ]  # fmt: skip
