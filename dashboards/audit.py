"""Audit: who changed which rule, silence, key, source map, when, and what is different since."""

import difflib
from collections.abc import Mapping
from functools import partial

from starlette.requests import Request

from collector.query import audit
from collector.query.audit import Change
from dashboards.site import Page, Site

CONTEXT_LINES = 2


async def page(site: Site, request: Request) -> Page:
    """The page at `/audit` and its twins."""
    q, given = site.question(request), request.query_params
    wanted = {name: given.get(name, "").strip()[:200] for name in ("who", "action", "subject")}
    before_ms = int(given["before"]) if given.get("before", "").isdecimal() and len(given["before"]) < 14 else 0
    panels = await site.ask(
        request,
        {
            "changes": partial(audit.changes, site.store, **wanted, before_ms=before_ms),
            "words": partial(audit.change_words, site.store),
        },
    )
    found: list[Change] = panels["changes"].value or []
    rows = [
        {
            "at": change.at, "who": change.who, "came_by": change.came_by, "action": change.action, "app": change.app,
            "subject": change.subject, "field": name, "before": then, "after": now,
        }
        for change in found
        for name, then, now in change.differences or [("", "", "")]
    ]  # fmt: skip
    people, actions = panels["words"].value or ([], [])
    context = {
        "wanted": wanted,
        "people": people,
        "actions": actions,
        "changes": [(change, [(name, lines(then, now)) for name, then, now in change.differences]) for change in found],
        "older": int(found[-1].at.timestamp() * 1000) if len(found) == audit.CHANGES else 0,
    }
    return Page("audit.html", "Audit", q, "/audit", panels, {"changes": rows}, wanted, context)


def lines(then: str, now: str) -> list[Mapping[str, str]]:
    """A difference, line by line: what went (`−`), what came (`+`), and a little of what stayed."""
    found = difflib.unified_diff(then.splitlines(), now.splitlines(), lineterm="", n=CONTEXT_LINES)
    signs = {"-": "−", "+": "+", " ": " "}
    return [
        {"sign": signs[line[0]], "text": line[1:]}
        for line in list(found)[2:]
        if not line.startswith("@@") and line[0] in signs
    ]
