"""Flags: which value of each flag views ran on, where it came from, and how fast pages with it were."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import flags, markers, overview
from collector.query.flags import SLICES, VITALS, Flag
from collector.query.markers import Marker
from collector.query.question import Question
from dashboards import plots
from dashboards.charts import Segment
from dashboards.numbers import count, percent
from dashboards.site import Page, Site
from dashboards.twins import Tables, percentile

DRAWN = 12
SOURCES = ("live", "cached", "default")
SOURCE_WORDS = {
    "live": "live",
    "cached": "cached from before",
    "default": "default, because the service was away",
    "": "not said",
}


DRAWN_SOURCES = {f"from-{name}": SOURCE_WORDS[name] for name in SOURCES}


async def page(site: Site, request: Request) -> Page:
    """The page at `/flags` and its twins."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {"flags": partial(flags.flags, site.store, q), "markers": partial(markers.markers, site.store, q)},
    )
    found: list[Flag] = panels["flags"].value or []
    presence = None
    if panels["flags"].is_answered and not found:
        presence = (await site.ask(request, {"presence": partial(overview.presence, site.store, q)}))["presence"].value
    changed = panels["markers"].value or []
    context: dict[str, Any] = {
        "presence": presence,
        "flags": [
            (flag, course(flag, q, changed) if nr < DRAWN else None, flag.away(q)) for nr, flag in enumerate(found)
        ],
        "words": SOURCE_WORDS,
        "SOURCES": SOURCES,
        "VITALS": VITALS,
        "sources_bar": sources_bar,
    }
    return Page("flags.html", "Flags", q, "/flags", panels, tables(found, q), {}, context)


def sources_bar(sources: dict[str, int]) -> list[Segment]:
    """Views by source as parts of one bar."""
    total, x, found = sum(sources.values()) or 1, 0.0, []
    for name in sorted(sources, key=lambda name: SOURCES.index(name) if name in SOURCES else 9):
        width = 100 * sources[name] / total
        label = f"{SOURCE_WORDS.get(name, name)} {percent(sources[name], total)}"
        found.append(Segment(name or "unsaid", round(x, 3), round(width, 3), label))
        x += width
    return found


def course(flag: Flag, question: Question, changed: Sequence[Marker]) -> plots.Plot:
    """Views by source over time."""
    step = question.span / SLICES
    values = []
    for nr, sources in sorted(flag.slices.items()):
        total = sum(sources.values())
        begin = question.since + step * nr
        said = ", ".join(f"{SOURCE_WORDS.get(name, name)} {percent(views, total)}" for name, views in sources.items())
        parts = [(f"from-{name}", float(sources.get(name, 0))) for name in SOURCES]
        values.append((nr, parts, f"{begin:%H:%M}, {count(total)} views: {said}"))
    sentence = f"Views by where {flag.name} came from: {percent(flag.on_default, flag.views)} on the default."
    return plots.columns(values, SLICES, question, changed, sentence, heads=DRAWN_SOURCES)


def tables(found: Sequence[Flag], question: Question) -> Tables:
    """Everything the page shows as rows."""
    values = [
        {
            "flag": flag.name, "value": value.value, "views": value.views, "share": value.views / flag.views,
            **{name: value.sources.get(name, 0) for name in SOURCES},
            **{k: v for vital in VITALS for k, v in percentile(f"{vital.lower()}_", value.vitals.get(vital)).items()},
            **percentile("fetch_", value.fetch),
        }
        for flag in found
        for value in flag.values
    ]  # fmt: skip
    away = [
        {"flag": flag.name, "from": since, "until": until, "on_default": flag.on_default, "views": flag.views}
        for flag in found
        for since, until in flag.away(question)
    ]
    return {"values": values, "away": away}
