"""Saved: the questions people keep, one click from being asked again."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from collector.query.fields import BadQuestion
from collector.query.question import Question
from collector.query.saved import Saved, saved_queries
from dashboards.site import Page, Site

TITLES = {
    "/explore": "Explore", "/compare": "Compare", "/": "Overview", "/routes": "Routes", "/feeds": "Feeds",
    "/errors": "Errors", "/traces": "Traces", "/map": "Map", "/now": "Now",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved question, and where it leads; or why it cannot be asked any more."""

    saved: Saved
    question: Question | None
    problem: str = ""


async def page(site: Site, request: Request) -> Page:
    """The page at `/saved` and its twins."""
    q = site.question(request)
    panels = await site.ask(request, {"saved": partial(saved_queries, site.store)})
    kept = [_kept(site, saved) for saved in panels["saved"].value or []]
    rows = [
        {
            "id": one.saved.id, "name": one.saved.name, "app": one.saved.app, "path": one.saved.path,
            "who": one.saved.who, "saved_at": one.saved.saved_at, "changed_at": one.saved.changed_at,
            "question": one.saved.plain, "problem": one.problem,
        }
        for one in kept
    ]  # fmt: skip
    context = {"kept": kept, "TITLES": TITLES}
    return Page("saved.html", "Saved questions", q, "/saved", panels, {"saved": rows}, {}, context)


def _kept(site: Site, saved: Saved) -> Kept:
    try:
        return Kept(saved, saved.question(site.settings.apps, site.watermark()))
    except BadQuestion as error:
        return Kept(saved, None, str(error))
