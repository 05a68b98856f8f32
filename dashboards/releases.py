"""Releases: who runs which, when each took effect, and how one does beside the one before it, at the same hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import markers, overview, releases
from collector.query.errors import Group, error_groups
from collector.query.question import Question
from collector.query.releases import BACK, LEVELS, SLICES, Beside, Failing, Pair, Release
from dashboards import plots
from dashboards.numbers import count, percent, span
from dashboards.site import Page, Site
from dashboards.twins import Row, Tables, percentile

COLOURS = 7  # so many releases have a colour of their own; the rest share one


async def page(site: Site, request: Request) -> Page:
    """The page at `/releases` and its twins."""
    q, given = site.question(request), request.query_params
    panels = await site.ask(
        request,
        {
            "releases": partial(releases.release_views, site.store, q),
            "known": partial(releases.adoptions, site.store, q.between(q.until - max(BACK, q.span), q.until)),
            "markers": partial(markers.markers, site.store, q),
        },
    )
    known: list[Release] = panels["known"].value or []
    begin = q.until - max(BACK, q.span) if panels["known"].is_answered else None
    found = _adopted(panels["releases"].value or [], known)
    named = [release for release in found if release.name]
    new = next((release for release in named if release.name == given.get("new")), named[0] if named else None)
    old = given.get("old") or (releases.before([r for r in known if r.name], new.name) if new else "")
    presence = None
    if panels["releases"].is_answered and not found:
        presence = (await site.ask(request, {"presence": partial(overview.presence, site.store, q)}))["presence"].value
    if new:
        panels |= await site.ask(
            request,
            {"brought": partial(_brought, site, q, new.name)}
            | ({"beside": partial(releases.beside, site.store, q, old, new.name, new.began_at)} if old else {}),
        )
    beside: Beside | None = panels["beside"].value if "beside" in panels else None
    brought: list[Group] = panels["brought"].value or [] if "brought" in panels else []
    context: dict[str, Any] = {
        "presence": presence, "found": [_Shown(release, begin) for release in found],
        "new": new, "old": old, "beside": beside, "brought": brought,
        "colours": {release.name: f"c{min(nr, COLOURS)}" for nr, release in enumerate(found)},
        "plot": adoption(found, q, panels["markers"].value or []) if found else None,
        "levels": [f"{level:.0%}".replace("%", "\u202f%") for level in LEVELS],
        "others": [r.name for r in known if r.name and new and r.name != new.name],
        "verdicts": verdicts(beside), "is_judged": is_judged(beside),
    }  # fmt: skip
    facts = {"new": new.name if new else "", "old": old}
    return Page("releases.html", "Releases", q, "/releases", panels, tables(found, beside, brought), facts, context)


def _adopted(found: Sequence[Release], known: Sequence[Release]) -> list[Release]:
    """Releases of the time asked; when they took effect, and who runs them now, as looked at finely and far back."""
    by_name = {release.name: release for release in known}
    return [
        replace(release, share=seen.share, effect=seen.effect) if (seen := by_name.get(release.name)) else release
        for release in found
    ]


def _brought(site: Site, question: Question, release: str) -> list[Group]:
    """Groups of errors that this release was the first to meet, or in which one came back that had been resolved."""
    groups = error_groups(site.store, question.narrowed(release=release))
    return [
        group
        for group in groups
        if group.introduced_by == release or (group.regressed_in and group.regressed_in.release == release)
    ]


def verdicts(beside: Beside | None) -> dict[str, list[str]]:
    """What is clearly worse and clearly better over all routes, for the sentence at the head."""
    found: dict[str, list[str]] = {"worse": [], "better": []}
    for pair in beside.pairs if beside else ():
        if not pair.route and pair.verdict in found:
            found[pair.verdict].append(pair.vital)
    for failing in beside.failing if beside else ():
        if not failing.route and failing.verdict in found:
            found[failing.verdict].append("errors")
    return found


def is_judged(beside: Beside | None) -> bool:
    """Whether there was enough of anything, over all routes, to say which is better."""
    rows: list[Pair | Failing] = [*beside.pairs, *beside.failing] if beside else []
    return any(row.verdict != "unknown" for row in rows if not row.route)


def adoption(found: Sequence[Release], question: Question, changed: Sequence[markers.Marker]) -> plots.Plot:
    """Shares of all views over time, the newest release at the bottom."""
    totals = {nr: sum(release.slices.get(nr, 0) for release in found) for nr in range(SLICES)}
    step = question.span / SLICES
    values = []
    for nr, total in totals.items():
        begin = question.since + step * nr
        parts = [
            (f"c{min(place, COLOURS)}", 100 * release.slices.get(nr, 0) / total if total else 0.0)
            for place, release in enumerate(found)
        ]
        words = [f"{r.name or '(none named)'} {percent(r.slices[nr], total)}" for r in found if r.slices.get(nr)]
        values.append((nr, parts, f"{begin:%H:%M}, {count(total)} views: {', '.join(words)}"))
    first = found[0]
    sentence = (
        f"Share of views by release over time; {first.name or '(none named)'} has {percent(first.share)} at the end."
    )
    return plots.columns(values, SLICES, question, changed, sentence, heads=_heads(found), written=_share_words)


def _heads(found: Sequence[Release]) -> dict[str, str]:
    """The colours of releases and their names; those that share the last colour share its words."""
    heads = {f"c{nr}": release.name or "(none named)" for nr, release in enumerate(found[:COLOURS])}
    if len(found) > COLOURS:
        heads[f"c{COLOURS}"] = "all others"
    return heads


def _share_words(share: float) -> str:
    return percent(share, 100)


class _Shown:
    """A release with its moments in words."""

    def __init__(self, release: Release, looked_at_from: datetime | None) -> None:
        self.name, self.views, self.share, self.began_at = release.name, release.views, release.share, release.began_at
        never = "–" if looked_at_from is None else "earlier" if release.began_at <= looked_at_from else "not yet"
        moments = zip(release.effect, release.took, strict=True)
        self.reached = [(at, never if length is None else took(length)) for at, length in moments]


def took(length: timedelta) -> str:
    """How long a release took, in words."""
    return f"within {span(releases.MINUTE)}" if length < releases.MINUTE else span(length)


def tables(found: Sequence[Release], beside: Beside | None, brought: Sequence[Group]) -> Tables:
    """Everything the page shows as rows."""
    rows: list[Row] = []
    for release in found:
        effect = {f"at_{level:.0%}".replace("%", ""): at for level, at in zip(LEVELS, release.effect, strict=True)}
        rows.append(
            {
                "release": release.name,
                "views": release.views,
                "first_seen": release.began_at,
                "share": release.share,
                **effect,
            }
        )
    pairs = [
        {
            "vital": pair.vital, "route": pair.route, "verdict": pair.verdict,
            **percentile("old_", pair.old), **percentile("new_", pair.new),
        }
        for pair in (beside.pairs if beside else ())
    ]  # fmt: skip
    errors = [
        {
            "route": row.route, "verdict": row.verdict, "old_share": row.old.value, "old_views": row.old.whole,
            "new_share": row.new.value, "new_views": row.new.whole, "new_low": row.new.bounds[0],
            "new_high": row.new.bounds[1],
        }
        for row in (beside.failing if beside else ())
    ]  # fmt: skip
    new_groups = [
        {name: getattr(group, name) for name in ("fingerprint", "error_type", "message", "times", "views")}
        for group in brought
    ]
    return {"releases": rows, "pairs": pairs, "errors": errors, "new_groups": new_groups}
