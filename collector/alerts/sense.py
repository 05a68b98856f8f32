"""Sense: whether a rule that can be read can also work; every complaint names the field, its value and what to write."""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from collector.alerts.rules import Rule
from collector.query.condition import read as read_condition
from collector.query.fields import BadQuestion, field_of
from collector.query.metrics import LEVELS, METRICS, Metric, check_aggregate, fewest_beyond, metric_of

Complaint = tuple[str, Any, str]

A_SPAN = "a length of time such as 5m, 6h or 3d"
A_NUMBER = "a number"
REMEDIES = {
    "id": "a name of lower-case letters, digits and dashes, such as checkout-lcp",
    "where": 'a list of fields, the app among them: {app: shop, route: "/checkout/**"}',
    "kind": "one of threshold, change, release, burn, new_error, feed_burst",
    "metric": "a metric such as lcp, inp, error_rate or feed_stall",
    "aggregate": "one such as p75, share_poor, rate or count",
    "group_by": "a list of fields, such as [route]",
    "groups": "a whole number of groups, at most 200",
    "every": A_SPAN,
    "enabled": "true or false",
    "window": "{samples: 200, min: 5m, max: 24h}",
    "window.samples": "a whole number of views such as 200",
    "window.min": A_SPAN,
    "window.max": A_SPAN,
    "fire": "{above: 2500, confidence: 95, min_users: 10, for: 3}",
    "fire.above": f"{A_NUMBER}, in the metric's own unit (milliseconds; 0.1 for a tenth)",
    "fire.below": f"{A_NUMBER}, in the metric's own unit (milliseconds; 0.1 for a tenth)",
    "fire.more_by": "a share such as 0.25, which is a quarter more than before",
    "fire.confidence": "90, 95 or 99",
    "fire.min_users": "a whole number of users",
    "fire.for": "a whole number of evaluations",
    "clear": "{below: 2300, for: 6}",
    "clear.below": A_NUMBER,
    "clear.above": A_NUMBER,
    "clear.for": "a whole number of evaluations",
    "no_data": "{after: 30m}",
    "no_data.after": A_SPAN,
    "weeks": "how many weeks to look back at, 1 to 4",
    "objective": "a percentage such as 99 or 99.9",
    "burns": "a list such as [{rate: 14.4, long: 1h, short: 5m}]",
    "new_for": A_SPAN,
    "notify": "a list of receivers of farside.toml, such as [pager]",
    "repeat": A_SPAN,
    "tests": "a list such as [{from: 2026-11-03T10:00Z, to: 2026-11-03T12:00Z, expect: firing}]",
    "tests.from": "a moment such as 2026-11-03T10:00Z",
    "tests.to": "a moment such as 2026-11-03T12:00Z",
    "tests.expect": "one of firing, ok, no_data",
}
MOST_WINDOW_S = 14 * 86_400
MOST_GROUPS = 200


def complaints(rule: Rule) -> list[Complaint]:
    """What is wrong with a rule, nothing when it makes sense."""
    checks: tuple[Callable[[Rule], Iterator[Complaint]], ...] = (
        _names, _question, _limits, _windows, _counts, _kind, _tests
    )  # fmt: skip
    return [complaint for check in checks for complaint in check(rule)]


def metric(rule: Rule) -> Metric:
    """The metric a rule watches, its kind's own unless it says one."""
    return metric_of(rule.metric or {"feed_burst": "feed_burst_rate", "new_error": "errors"}.get(rule.kind, ""))


def aggregate(rule: Rule) -> str:
    """The aggregate a rule watches."""
    own = "rate" if rule.kind == "feed_burst" else "count" if rule.kind == "new_error" else ""
    return check_aggregate(metric(rule).name, rule.aggregate or own)


def is_share(rule: Rule) -> bool:
    """Whether the number is a part of a whole, between 0 and 1."""
    known = metric(rule)
    return aggregate(rule).startswith("share_") or (known.unit == "share" and aggregate(rule) == "rate")


def _names(rule: Rule) -> Iterator[Complaint]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", rule.id):
        yield "id", rule.id, f"it should be {REMEDIES['id']}"
    if not isinstance(rule.where.get("app"), str):
        yield "where", rule.where, "it lacks the app; write where: {app: shop}"


def _question(rule: Rule) -> Iterator[Complaint]:
    if not rule.metric and rule.kind not in ("new_error", "feed_burst"):
        yield "metric", rule.metric, f"a rule of kind {rule.kind} needs {REMEDIES['metric']}"
        return
    try:
        known = metric(rule)
    except BadQuestion as error:
        yield "metric", rule.metric, str(error)
        return
    try:
        aggregate(rule)
    except BadQuestion as error:
        yield "aggregate", rule.aggregate, str(error)
    for name, text in rule.conditions:
        yield from _condition(known, name, text)
    for nr, name in enumerate(rule.group_by):
        yield from _field(known, f"group_by[{nr}]", name, name)
    if len(rule.group_by) > 3:
        yield "group_by", rule.group_by, "at most three fields can be grouped by"


def _condition(known: Metric, name: str, text: str) -> Iterator[Complaint]:
    try:
        read_condition(name, str(text))
    except BadQuestion as error:
        yield f"where.{name}", text, str(error)
        return
    yield from _field(known, f"where.{name}", name, text)


def _field(known: Metric, place: str, name: str, value: Any) -> Iterator[Complaint]:
    try:
        field = field_of(name)
    except BadQuestion as error:
        yield place, value, str(error)
        return
    if field.kind == "vital":
        yield place, value, f"{name} changes while a view lasts; watch it as the metric instead"
    elif not field.is_of_view and known.source == "vitals":
        yield (
            place,
            value,
            f"{known.name} is a view's, and {name} a single event's; use a field of the view, such as route",
        )
    elif field.types and known.types and not set(field.types) & set(known.types):
        yield place, value, f"{name} stands on {', '.join(field.types)} events, and {known.name} is measured on others"


def _limits(rule: Rule) -> Iterator[Complaint]:
    fire, clear = rule.fire, rule.clear
    if rule.kind in ("change", "release"):
        if fire.more_by is None:
            yield "fire", None, f"a rule of kind {rule.kind} needs fire: {{more_by: 0.25}}, {REMEDIES['fire.more_by']}"
        elif not 0 <= fire.more_by <= 100:
            yield "fire.more_by", fire.more_by, f"it should be {REMEDIES['fire.more_by']}"
        return
    if rule.kind not in ("threshold", "feed_burst"):
        return
    if (fire.above is None) == (fire.below is None) and rule.kind == "threshold":
        yield "fire", None, "it needs a limit, and one only: fire: {above: 2500} or fire: {below: 10}"
        return
    for name, value in (("fire.above", fire.above), ("fire.below", fire.below), ("clear.below", clear.below)):
        if value is not None and not math.isfinite(value):
            yield name, value, f"it should be {REMEDIES[name]}"
    if fire.above is not None and clear.below is not None and clear.below > fire.above:
        yield "clear.below", clear.below, f"it clears above the limit {fire.above:g}; write a lower number"
    if fire.below is not None and clear.above is not None and clear.above < fire.below:
        yield "clear.above", clear.above, f"it clears below the limit {fire.below:g}; write a higher number"
    if (fire.above is not None and clear.above is not None) or (fire.below is not None and clear.below is not None):
        yield "clear", None, "it clears on the side on which it fires; `above` goes with `clear: {below: …}`"


def _windows(rule: Rule) -> Iterator[Complaint]:
    every = rule.every.seconds
    if every < 10 or every > 86_400:
        yield "every", str(rule.every), "it should be between 10s and 1d"
        return
    if rule.kind in ("burn", "new_error"):
        return
    for name, span in (("window.min", rule.least), ("window.max", rule.window.max)):
        if span.seconds % every:
            yield name, str(span), f"it should be a whole number of steps of {rule.every}"
        if span.seconds > MOST_WINDOW_S:
            yield name, str(span), "it should be 2w at most"
    if rule.window.max < rule.least:
        yield "window.max", str(rule.window.max), f"it is shorter than window.min, {rule.least}"
    if rule.window.max.seconds // every > 20_000:
        yield "every", str(rule.every), f"a window of {rule.window.max} has too many steps of it; evaluate less often"
    if not _is_fixed(rule):
        yield (
            "aggregate",
            rule.aggregate,
            "a count needs a window of one length: give window.min and window.max the same",
        )


def _is_fixed(rule: Rule) -> bool:
    try:
        return aggregate(rule) != "count" or rule.least == rule.window.max
    except BadQuestion:
        return True


def _counts(rule: Rule) -> Iterator[Complaint]:
    for name, value, least, most in (
        ("groups", rule.groups, 1, MOST_GROUPS),
        ("window.samples", rule.window.samples, 1, 1_000_000),
        ("fire.for", rule.fire_for, 1, 1_000),
        ("clear.for", rule.clear_for, 1, 1_000),
        ("fire.min_users", rule.fire.min_users, 0, 1_000_000),
        ("weeks", rule.weeks, 1, 4),
    ):
        if not least <= value <= most:
            yield name, value, f"it should be between {least} and {most:,}"


def _kind(rule: Rule) -> Iterator[Complaint]:
    if rule.kind != "burn":
        return
    if rule.objective is None or not 50 <= rule.objective < 100:
        yield "objective", rule.objective, f"a burn rule needs {REMEDIES['objective']}, from 50 up to below 100"
        return
    if not rule.metric:
        return
    try:
        if not is_share(rule):
            yield (
                "metric",
                rule.metric,
                "a burn rule watches a share: error_rate, or a vital with aggregate: share_poor",
            )
    except BadQuestion:
        return
    budget = 1 - rule.objective / 100
    for nr, burn in enumerate(rule.burns):
        if burn.rate * budget >= 1:
            yield f"burns[{nr}].rate", burn.rate, (
                f"an objective of {rule.objective:g} % leaves {budget:.3g}, and {burn.rate:g} times that is all there is:"
                f" it could never fire; write a rate below {1 / budget:.3g}"
            )  # fmt: skip
        for name, span in (("long", burn.long), ("short", burn.short)):
            if span.seconds % rule.every.seconds:
                yield f"burns[{nr}].{name}", str(span), f"it should be a whole number of steps of {rule.every}"


def _tests(rule: Rule) -> Iterator[Complaint]:
    for nr, test in enumerate(rule.tests):
        if test.to.at <= test.from_.at:
            yield f"tests[{nr}].to", str(test.to), "it is not after `from`"


def fewest(rule: Rule) -> int:
    """How many values there must be before the number is spoken of at all: 10 on the rarer side of a percentile."""
    level = LEVELS.get(aggregate(rule))
    if level:
        return fewest_beyond(level)
    return 0 if aggregate(rule) == "count" or METRICS.get(metric(rule).name, metric(rule)).is_count else 30
