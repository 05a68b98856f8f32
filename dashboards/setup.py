"""Setup: what to paste, with this host and key filled in, and whether it works: live, with the reason of each refusal."""

import re
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.outcomes import Outcome
from collector.query import overview
from collector.query.overview import Presence, Refusal
from collector.settings import Apps
from dashboards.recipes import RECIPES
from dashboards.site import Page, Site
from dashboards.twins import Row

REFUSED_OVER = timedelta(minutes=15)

# What to do about an outcome; what it means stands in collector.outcomes.
FIXES = {
    "unknown_key": "Compare the page's data-key with keys under [apps.NAME] in farside.toml.",
    "origin_refused": "Add the page's origin, scheme and port included, to origins of the app in farside.toml.",
    "bad_json": "Something between the page and here changes the body. Let POST /b pass unchanged.",
    "bad_version": "Upgrade the collector: this snippet is newer than it.",
    "bad_beacon": "Is the snippet loaded from this collector? A copy of another version may not fit.",
    "bad_encoding": "Let the proxy pass the body as it is; gzip, deflate and plain are read.",
    "bad_method": "The address of beacons takes POST. A redirect on the way turns POST into GET.",
    "too_large": "The snippet stays under 64 KiB, so this is another client, or a proxy that adds to the body.",
    "too_slow": "Is the network slow, or a proxy buffering uploads? The snippet sends these again.",
    "rate_limited": "Raise the app's limits, or sample sessions in its remote config.",
    "busy": "The disk cannot follow. Give the collector a faster one, or run a second door.",
    "spool_full": "The store has been away for long. Bring it back; beacons are accepted again by themselves.",
    "spool_failed": "The disk refuses to be written to: is it full, or read-only?",
    "no_event": "Every event of a beacon was refused; the reasons stand beside this one.",
    "event_invalid": "A field that the page sets itself is out of range, most often an attribute that is not text.",
    "event_unknown_type": "Upgrade the collector: this snippet sends events it does not know.",
    "event_over_limit": "Over 500 events in one beacon: is a mark or an error reported in a loop?",
    "repeat": "Nothing to do: a beacon came twice and was kept once.",
    "torn": "Nothing to do: a crash cut off a line that had not been acknowledged.",
    "erased": "Nothing to do: this person was erased, and what still comes of them is dropped.",
    "quarantined": "The collector's log names the line and the reason.",
    "bad_token": "Send the header Authorization: Bearer with the collector's otlp_token.",
    "bad_otlp": "Set the exporter to http/protobuf or http/json and the path /v1/traces.",
    "span_invalid": "A span without valid ids or times; look at the exporter's SDK.",
    "span_out_of_time": "The host's clock is off, or old spans are being replayed.",
}


QUIET = {"repeat", "torn"}  # outcomes that cost nothing


async def page(site: Site, request: Request) -> Page:
    """The page at `/setup` and its twins, and at `/setup/status` the part of it that is live."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {
            "presence": partial(overview.presence, site.store, q),
            "refusals": partial(overview.refusals, site.store, q, REFUSED_OVER),
            "details": partial(overview.refusal_details, site.store, q, REFUSED_OVER),
        },
    )
    presence: Presence | None = panels["presence"].value
    refusals: list[Refusal] = [one for one in panels["refusals"].value or [] if one.outcome not in QUIET]
    details = panels["details"].value or {}
    rows = [_row(site.settings.apps, refusal, details.get((refusal.app, refusal.outcome), [])) for refusal in refusals]
    app = site.settings.apps[q.app]
    facts: dict[str, Any] = {
        "key": app.keys[0],
        "origins": list(app.origins),
        "state": state(presence, [one for one, row in zip(refusals, rows, strict=True) if not row["is_mended"]]),
        "views": presence.views if presence else None,
        "last_view_id": presence.view_id if presence else "",
    }
    is_fragment = request.url.path == "/setup/status"
    template = "status.html" if is_fragment else "setup.html"
    context = facts | {
        "presence": presence, "refusals": rows, "monitored": app, "host": str(request.base_url).rstrip("/"),
        "recipes": RECIPES,
    }  # fmt: skip
    return Page(template, "Setup", q, "/setup", panels, {"refusals": rows}, facts, context)


def _row(apps: Apps, refusal: Refusal, details: list[str]) -> Row:
    """A refusal with what to do about it. What was put right since is left out where something else is still wrong."""
    wrong = [detail for detail in details if not is_mended(apps, refusal, detail)]
    return {
        "app": refusal.app,
        "outcome": refusal.outcome,
        "events": refusal.events,
        "last_minute": refusal.last_minute,
        "meaning": meaning(refusal.outcome),
        "fix": FIXES.get(refusal.outcome, ""),
        "details": wrong or details,
        "is_mended": bool(details) and not wrong,
    }


def state(presence: Presence | None, refusals: list[Refusal]) -> str:
    """`received`, `cut_off` when only refusals have come since, `refused`, `waiting` or `unknown`: how far it works."""
    if presence is None:
        return "unknown"
    if presence.views:
        stored_at = presence.last_received_at
        # Of a refusal the minute is known: what was stored within it may have come after.
        is_cut_off = any(one.last_minute > stored_at for one in refusals if one.is_of_beacons) if stored_at else False
        return "cut_off" if is_cut_off else "received"
    return "refused" if refusals else "waiting"


def is_mended(apps: Apps, refusal: Refusal, detail: str) -> bool:
    """Whether what was wrong with a key or an origin has been put right since, as far as the settings say."""
    named = re.search(r"'([^']+)'", detail)
    if named is None:
        return False
    if refusal.outcome == Outcome.UNKNOWN_KEY:
        return apps.with_key(named[1]) is not None
    app = apps.get(refusal.app)
    return refusal.outcome == Outcome.ORIGIN_REFUSED and app is not None and app.allows(named[1])


def meaning(outcome: str) -> str:
    """An outcome in words."""
    if outcome.startswith("client_"):
        return f"the snippet dropped these itself: {outcome.removeprefix('client_')}"
    return {known.value: known.meaning for known in Outcome}.get(outcome, "")
