"""Rules: all of them, the form over their text, and what a rule would have done before anybody trusts it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request

from collector.alerts.backtest import Backtest, replay
from collector.alerts.folder import ready
from collector.alerts.measuring import course, moments
from collector.alerts.rules import Rule
from collector.alerts.text import BadRules, read, write
from collector.notify.message import amount
from collector.query import alerts
from collector.query.alerts import StoredFlip
from collector.query.fields import BadQuestion
from collector.query.history import TooMuch
from collector.query.markers import Marker
from collector.query.metrics import METRICS, metric_of
from collector.query.question import Question
from collector.store import Store
from dashboards.alerts import rules_of
from dashboards.course import Recorded, chart
from dashboards.plots import Plot
from dashboards.site import Page, Site

OVER = timedelta(days=7)
LONGEST_TEXT = 20_000
GROUPABLE = ("route", "device", "browser", "os", "country", "connection", "release")


@dataclass(frozen=True)
class Trial:
    """A rule that was read, or what is wrong with it; and what it would have done, if that was asked."""

    rule: Rule | None
    complaints: list[str]
    limit: float | None = None


@dataclass(frozen=True)
class Replay:
    """What a rule would have done, and the course of one group that shows it: the first that fired, else the largest."""

    found: Backtest
    chart: Plot | None
    group: str


async def page(site: Site, request: Request) -> Page:
    """The page at `/rules` and its twins, and at `/rules/backtest` the part of it that the slider moves."""
    q, given = site.question(request), request.query_params
    panels = await site.ask(request, {"standing": partial(alerts.newest_flips, site.store)})
    standing: list[StoredFlip] = panels["standing"].value or []
    folder = site.watch.folder if site.watch else None
    complaints = (
        [*folder.complaints, *site.watch.receivers.complaints(folder.rules.values())] if site.watch and folder else []
    )
    rules = rules_of(folder, [])
    text = given.get("text", "")[:LONGEST_TEXT] or _begin(
        given.get("rule", ""), given.get("ready", ""), rules, q, given.get("above", "")
    )
    trial = try_out(text, given.get("limit", "")) if text else Trial(None, [])
    if trial.rule and (given.get("test") or request.url.path.endswith("/backtest")):
        panels |= await site.ask(request, {"backtest": partial(replayed, site.store, trial.rule, site)})
    if trial.rule and given.get("limit"):
        text = write(trial.rule)  # what is saved is what was tried
    states = {name: [f for f in standing if f.rule == name] for name in rules}
    rows = [
        {
            "rule": rule.id, "title": rule.name, "kind": rule.kind, "app": rule.app, "enabled": rule.enabled,
            "firing": sum(f.is_firing for f in states[rule.id]),
            "states": ", ".join(sorted({f.after for f in states[rule.id]})) or "learning",
        }
        for rule in rules.values()
    ]  # fmt: skip
    tried = panels["backtest"].value if "backtest" in panels else None
    replay_of = tried if isinstance(tried, Replay) else None
    context: dict[str, Any] = {
        "metrics": METRICS, "groupable": GROUPABLE,
        "rules": rules, "rows": rows, "ready": [r for r in ready().values() if r.id not in rules], "text": text,
        "trial": trial, "found": replay_of.found if replay_of else None, "replay": replay_of,
        "problem": tried if isinstance(tried, str) else "", "amount": amount, "slider": slider(trial),
        "complaints": complaints, "folder": folder.path.name if folder else "rules",
        "owned": {name for name in rules if folder and folder.file_of(name) in ("", f"{name}.yaml")},
        "in_file": {name: file for name in rules if folder and (file := folder.file_of(name))},
    }  # fmt: skip
    template = "backtest.html" if request.url.path.endswith("/backtest") else "rules.html"
    return Page(template, "Rules", q, "/rules", panels, {"rules": rows}, {}, context)


def _begin(rule: str, prepared: str, rules: dict[str, Rule], q: Question, above: str) -> str:
    """The text a form begins with: a rule's, one that comes with Farside, or one over what a page asked."""
    if rule in rules:
        return write(rules[rule])
    if prepared in ready():
        own = ready()[prepared]
        return write(msgspec.structs.replace(own, where=own.where | {"app": q.app}, enabled=True))
    if not q.metric:
        return ""
    what = q.to_plain()
    made = {
        "id": f"{q.metric.replace('_', '-').replace('.', '-')}-rule", "metric": q.metric,
        **({"aggregate": q.aggregate} if q.aggregate else {}), "where": what["where"],
        **({"group_by": list(q.group_by)} if q.group_by else {}), "fire": {"above": _above(above, q.metric)},
    }  # fmt: skip
    try:
        return write(msgspec.convert(made, Rule))
    except msgspec.ValidationError:
        return ""


def _above(text: str, metric: str) -> float:
    """The limit that was filled in, else the metric's own, else one to be changed."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        limit = metric_of(metric).limit
        return limit.good if limit else 0.02 if metric_of(metric).unit == "share" else 1_000.0


def try_out(text: str, limit: str) -> Trial:
    """Read the text, with another limit if the slider says so."""
    try:
        rules = read(text, "text")
    except BadRules as error:
        return Trial(None, error.complaints)
    if len(rules) != 1:
        return Trial(None, [f"text:1: it holds {len(rules)} rules; the form takes one at a time"])
    rule, name = rules[0], _limit_name(rules[0])
    try:
        value = float(limit) if limit else None
    except ValueError:
        return Trial(None, [f"limit = {limit!r} is not a number"])
    if value is None or not name:
        return Trial(rule, [], getattr(rule.fire, name) if name else None)
    clear = msgspec.structs.replace(rule.clear, below=None, above=None) if name != "more_by" else rule.clear
    fire = msgspec.structs.replace(rule.fire, **{name: value})
    return Trial(msgspec.structs.replace(rule, fire=fire, clear=clear), [], value)


def _limit_name(rule: Rule) -> str:
    if rule.kind in ("change", "release"):
        return "more_by"
    if rule.kind in ("burn", "new_error"):
        return ""
    return "below" if rule.fire.below is not None else "above"


def slider(trial: Trial) -> dict[str, float] | None:
    """Where the limit may be moved: from half of it to twice."""
    if not trial.limit:
        return None
    return {"value": trial.limit, "least": trial.limit / 2, "most": trial.limit * 2, "step": trial.limit / 50}


def replayed(store: Store, rule: Rule, site: Site) -> Replay | str:
    """What the rule would have done in the last week, or why that cannot be told."""
    now = site.watermark()
    since = now - OVER
    steps = list(moments(rule, since, now))
    try:
        seen = Recorded(course(store, rule, steps))
    except (TooMuch, BadQuestion) as error:
        return str(error)
    found = replay(rule, seen, steps, since, now)
    volume = seen.volume(steps[-1])
    group = found.episodes[0].group if found.episodes else max(volume, key=lambda one: volume[one], default=())
    fired = [Marker("alert", "would fire", e.begin.at) for e in found.episodes if e.group == group]
    return Replay(found, chart(rule, group, seen, steps, fired), ", ".join(value for _, value in group))
