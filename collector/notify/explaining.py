"""Explaining: which page explains what a rule has found, and how a link to it reads.

The page is asked about the time that was measured (what is compared, over an hour at least) and about the group, as
far as whole views are of it: a page about views cannot be narrowed to single events without losing what it compares.
"""

from datetime import timedelta
from urllib.parse import quote

from collector.alerts.rules import Rule
from collector.alerts.sense import metric
from collector.query.alerts import StoredFlip
from collector.query.fields import field_of
from collector.query.question import Question

LEAST = timedelta(hours=1)
COMPARING = {"/releases", "/feeds"}  # with another release, with other heights: that takes views
PAGES = {
    "/feeds": "What the feed asks for, by height of the window",
    "/map": "Which service takes the time",
    "/traces": "What is called again and again",
    "/flags": "Which flags ran on their default",
    "/resources": "What third parties cost",
    "/pipeline": "Whose clocks are off",
    "/releases": "The release beside the one before",
    "/errors": "The errors",
    "/routes": "Why it is slow, and for whom",
}
# Where a metric is explained; those that are not named here are of routes.
BY_METRIC = {
    "/feeds": {"feed_burst_rate", "feed_stall", "feed_paint", "feed_give_up_rate", "feed_loads", "feed_loads_per_view",
               "requests_per_view", "requests"},
    "/map": {"fetch_duration", "fetch_failure_rate"},
    "/traces": {"repeated_calls"},
    "/flags": {"default_flag_rate"},
    "/resources": {"resource_duration", "resources_per_view", "bytes_per_view"},
    "/pipeline": {"clock_off_rate", "views", "count"},
    "/errors": {"errors", "error_rate", "errors_per_view"},
}  # fmt: skip


def explaining(rule: Rule, flip: StoredFlip, measured: Question) -> tuple[str, str]:
    """What the link says, and where it leads."""
    if rule.kind == "release":
        path = "/releases"
    else:
        path = next((page for page, names in BY_METRIC.items() if metric(rule).name in names), "/routes")
    asks = measured.asking(metric="", aggregate="")
    if path in COMPARING:
        asks = asks.between(min(asks.since, asks.until - LEAST), asks.until)
    for name, text in measured.where:
        if not field_of(name).is_of_view or (path == "/releases" and name == "release"):
            asks = asks.without(name, text)
    fingerprint = flip.group.get("fingerprint", "") if path == "/errors" else ""
    new = flip.note.split()[1] if path == "/releases" and flip.note.startswith("release ") else ""
    return PAGES[path], asks.link(f"/errors/{quote(fingerprint)}" if fingerprint else path, new=new)
