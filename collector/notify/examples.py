"""Examples: what a notice points at: one view or trace that shows what is the matter, and the error that is met most."""

from urllib.parse import quote

from collector.alerts.rules import Rule
from collector.alerts.sense import aggregate, metric
from collector.notify.explaining import BY_METRIC
from collector.query.alerts import StoredFlip
from collector.query.fields import BadQuestion
from collector.query.metrics import LEVELS
from collector.query.overview import GROUPS, errors
from collector.query.question import Question
from collector.query.typical import typical_view
from collector.store import Store, StoreAway

LONGEST = 120  # letters of an error's message


def example(store: Store, rule: Rule, flip: StoredFlip, asks: Question) -> tuple[str, str]:
    """What a link to one of them says, and its path: a trace, or a view that has none; empty where there is neither."""
    if is_of_errors(rule):
        asks = asks.asking(metric="errors", aggregate="")
    try:
        found = typical_view(store, asks, _limit_of_views(rule, flip))
    except (StoreAway, BadQuestion):
        return "", ""
    if found is None:
        return "", ""
    if found.trace_id:
        return _words(rule, "trace"), f"/traces/{quote(found.trace_id)}"
    return _words(rule, "view"), asks.link(f"/views/{found.view_id}")


def _limit_of_views(rule: Rule, flip: StoredFlip) -> float:
    """Beyond what a single view is slow: the rule's limit, or the vital's own where the rule's is of a share or a count."""
    known = metric(rule)
    if known.limit and aggregate(rule) not in LEVELS:
        return known.limit.poor
    return flip.limit_value or 0.0


def _words(rule: Rule, what: str) -> str:
    known = metric(rule)
    if is_of_errors(rule):
        return f"A {what} with an error"
    if known.name == "fetch_failure_rate":
        return f"A {what} with a failed request"
    return f"A typical slow {what}" if known.unit == "ms" else f"A typical {what}"


def is_of_errors(rule: Rule) -> bool:
    """Whether it is errors that the rule counts."""
    return metric(rule).name in BY_METRIC["/errors"]


def error_met(store: Store, rule: Rule, asks: Question) -> str:
    """Half a sentence: which error is met most, and how often; empty where a rule counts something else."""
    if not is_of_errors(rule):
        return ""
    try:
        groups = errors(store, asks.asking(metric="", aggregate=""))
    except (StoreAway, BadQuestion):
        return ""
    if not groups:
        return ""
    first = groups[0]
    told = " ".join(": ".join(part for part in (first.error_type, first.message) if part).split()) or "(no message)"
    told = told if len(told) <= LONGEST else told[:LONGEST] + "…"
    where = f", last on {first.route}" if first.route else ""
    if len(groups) == 1:
        return f"it is “{told}”{where}"
    of_all = f" of {sum(group.times for group in groups):,} errors" if len(groups) < GROUPS else " times"
    return f"most of all “{told}”, {first.times:,}{of_all}{where}"
