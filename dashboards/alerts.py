"""Alerts: what fires now and why, what fired before, and whether anybody heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.alerts.folder import Folder
from collector.alerts.measuring import course, moments
from collector.alerts.rules import Rule
from collector.alerts.text import BadRules, read
from collector.notify.examples import example
from collector.notify.explaining import explaining
from collector.notify.message import amount, beyond, question_of, remarks, sentence
from collector.notify.quiet import Quiet, quiet
from collector.query import alerts
from collector.query.alerts import Acknowledgement, Attempt, StoredFlip
from collector.query.markers import Marker, markers
from collector.store import Store
from dashboards.course import chart
from dashboards.plots import Plot
from dashboards.site import Page, Site

PAST = timedelta(days=30)
NEAR = timedelta(hours=1)
SHOWN = 5
BEFORE, LONGEST = timedelta(hours=3), timedelta(hours=24)


@dataclass(frozen=True)
class Firing:
    """One group that fires: what is said of it, and where to look."""

    rule: Rule
    flip: StoredFlip
    now: StoredFlip
    text: str
    found: str = ""
    example: tuple[str, str] = ("", "")
    compare: str = ""
    numbers: str = ""
    explains: tuple[str, str] = ("", "")
    chart: Plot | None = None
    near: Sequence[Marker] = field(default_factory=list)
    taken: Acknowledgement | None = None


async def page(site: Site, request: Request) -> Page:
    """The page at `/alerts` and its twins."""
    q, rule = site.question(request), request.query_params.get("rule", "")[:64]
    since = site.watermark() - PAST
    panels = await site.ask(
        request,
        {
            "standing": partial(alerts.newest_flips, site.store),
            "past": partial(alerts.flips_of, site.store, since, rule),
            "attempts": partial(alerts.attempts_since, site.store, site.watermark() - timedelta(days=1)),
            "silences": partial(alerts.silences, site.store, site.watermark()),
            "taken": partial(alerts.acknowledgements, site.store, since),
        },
    )
    standing: list[StoredFlip] = panels["standing"].value or []
    past: list[StoredFlip] = panels["past"].value or []
    rules = rules_of(site.watch.folder if site.watch else None, standing)
    going_on = [f for f in standing if f.is_firing and f.rule in rules and rule in ("", f.rule)]
    going_on.sort(key=lambda flip: flip.fired_at or flip.at, reverse=True)
    taken: list[Acknowledgement] = panels["taken"].value or []
    looked = await site.ask(
        request,
        {
            f"alert{nr}": partial(look, site.store, rules[flip.rule], flip, past, site.watermark())
            for nr, flip in enumerate(going_on[:SHOWN])
        },
    )
    firing = [
        Firing(**{
            **(looked[f"alert{nr}"].value or _short(rules[flip.rule], flip, past) if nr < SHOWN
               else _short(rules[flip.rule], flip, past)),
            "taken": _taken(taken, flip),
        })
        for nr, flip in enumerate(going_on)
    ]  # fmt: skip
    unwell = [f for f in standing if f.after in ("error", "no_data") and not f.is_firing and f.rule in rules]
    episodes = [f for f in past if f.after == "firing" and f.fired_at == f.at]
    ends = {(f.rule, f.group_key, f.fired_at): f.at for f in past if f.after == "ok" and f.fired_at}
    known = {flip.rule for flip in standing if flip.after != "learning"}
    calm = quiet(site.watch.evaluator, panels["silences"].value or [], site.watermark()) if site.watch else []
    calm = [one for one in calm if rule in ("", one.rule.id)]
    context: dict[str, Any] = {
        "watching": len(enabled(site)), "calm": calm,
        "learning": sum(one.id not in known for one in enabled(site)),
        "firing": firing, "unwell": unwell, "episodes": episodes, "ends": ends, "rules": rules, "wanted": rule,
        "silences": panels["silences"].value or [], "failures": failures(panels["attempts"].value or []),
        "blind": site.watch.sight.blind if site.watch and site.watch.runs else None, "amount": amount,
        "receivers": len(site.watch.receivers.known) if site.watch else 0,
        "receivers_problem": site.watch.receivers.problem if site.watch else "",
        "unheard": site.watch.receivers.complaints(enabled(site)) if site.watch else [],
    }  # fmt: skip
    return Page("alerts.html", "Alerts", q, "/alerts", panels, _tables(firing, past, calm), {}, context)


def rules_of(folder: Folder | None, flips: Sequence[StoredFlip]) -> dict[str, Rule]:
    """Rules by id; those that are gone as they last were."""
    if folder:
        folder.refresh()
    found = dict(folder.rules) if folder else {}
    for flip in flips:
        if flip.rule not in found:
            try:
                found[flip.rule] = read(flip.rule_text)[0]
            except (BadRules, IndexError):
                continue
    return found


def enabled(site: Site) -> list[Rule]:
    """The rules that watch, as the files have them."""
    return [rule for rule in site.watch.folder.rules.values() if rule.enabled] if site.watch else []


def look(store: Store, rule: Rule, flip: StoredFlip, past: Sequence[StoredFlip], now: datetime) -> dict[str, Any]:
    """Everything about one alert that takes questions to the store."""
    made = _short(rule, flip, past)
    begin: StoredFlip = made["flip"]
    asked = question_of(rule, begin)
    fired_at = begin.fired_at or begin.at
    changed = [
        marker
        for marker in markers(store, asked.between(min(asked.since, fired_at) - NEAR, fired_at))
        if marker.kind != "alert"
    ]
    found, compared = remarks(store, rule, begin)
    return made | {
        "found": found,
        "compare": compared.link("/compare"),
        "example": example(store, rule, begin, asked),
        "near": changed,
        "chart": drawn(store, rule, begin, now, changed),
    }


def _short(rule: Rule, flip: StoredFlip, past: Sequence[StoredFlip]) -> dict[str, Any]:
    begin = next(
        (f for f in past if f.rule == flip.rule and f.group_key == flip.group_key and f.at == flip.fired_at), flip
    )
    asked = question_of(rule, begin)
    compare = beyond(rule, asked, begin.limit_value).link("/compare")
    return {
        "rule": rule, "flip": begin, "now": flip, "text": sentence(rule, begin), "compare": compare,
        "numbers": asked.link("/explore"), "explains": explaining(rule, begin, asked),
    }  # fmt: skip


def drawn(store: Store, rule: Rule, flip: StoredFlip, now: datetime, near: Sequence[Marker]) -> Plot | None:
    """The number as the rule saw it, from three hours before it fired until now."""
    fired_at = flip.fired_at or flip.at
    steps = list(moments(rule, max(fired_at - BEFORE, now - LONGEST), now))
    if len(steps) < 2:
        return None
    began = Marker("alert", "fired", fired_at)
    return chart(rule, tuple(flip.group.items()), course(store, rule, steps), steps, [*near, began])


def failures(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Notices of the last day that did not arrive, by their last attempt."""
    last: dict[tuple[str, str], Attempt] = {}
    for attempt in attempts:
        last[attempt.notice, attempt.receiver] = attempt
    return [attempt for attempt in last.values() if attempt.outcome in ("failed", "refused")]


def _taken(taken: Sequence[Acknowledgement], flip: StoredFlip) -> Acknowledgement | None:
    own = (flip.rule, flip.group_key, flip.fired_at)
    return next((one for one in taken if (one.rule, one.group_key, one.fired_at) == own), None)


def _tables(
    firing: Sequence[Firing], past: Sequence[StoredFlip], calm: Sequence[Quiet]
) -> Mapping[str, list[dict[str, Any]]]:
    names = ("rule", "group_key", "seq", "at", "before", "after", "value", "low", "high", "n", "users", "limit_value",
             "problem", "question")  # fmt: skip
    return {
        "firing": [
            {"rule": f.rule.id, "group": f.flip.group_key, "since": f.flip.fired_at, "text": f.text, "n": f.flip.n,
             "trace": f.example[1], "compare": f.compare, "explains": f.explains[1]} for f in firing
        ],
        "quiet": [
            {"rule": one.rule.id, "group": one.group_key, "groups": one.groups, "at": one.at, "why": one.why,
             **({name: getattr(one.found, name) for name in ("value", "low", "high", "n", "users", "limit")}
                if one.found else {})} for one in calm
        ],
        "flips": [{name: getattr(flip, name) for name in names} for flip in past],
    }  # fmt: skip
