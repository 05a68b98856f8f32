"""Metrics: every figure a question can ask for, by name: its unit and limits, how it is made, which aggregates it allows.

A metric has one value per *view* (a vital: its newest report; requests per view: a count), or one per *event* (how long a
fetch took), or it counts things. Any numeric column is a metric, `attr.NAME` where the page's values are numbers, and
`phase.NAME`. `p50 … p99` are percentiles of the values, `share_poor` and `share_good` shares by the metric's limits,
`count` how many, `rate` how many a minute, a share, or a ratio for each view. There is no mean.
"""

import math
from dataclasses import dataclass

from collector.query.fields import FIELDS, MAPS, BadQuestion, field_of

LEVELS = {"p50": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95, "p99": 0.99}
SHARES = ("share_poor", "share_good")
AGGREGATES = (*LEVELS, *SHARES, "rate", "count")


@dataclass(frozen=True, slots=True)
class Limit:
    """A vital's own limits, those of https://web.dev/articles/vitals: good up to `good`, poor beyond `poor`."""

    name: str
    title: str
    unit: str
    good: float
    poor: float

    def rate(self, value: float) -> str:
        """`good`, `mixed` (needs improvement) or `poor`."""
        if value <= self.good:
            return "good"
        return "mixed" if value <= self.poor else "poor"


LIMITS = {
    limit.name: limit
    for limit in (
        Limit("LCP", "Largest Contentful Paint", "ms", 2_500, 4_000),
        Limit("INP", "Interaction to Next Paint", "ms", 200, 500),
        Limit("CLS", "Cumulative Layout Shift", "", 0.1, 0.25),
        Limit("FCP", "First Contentful Paint", "ms", 1_800, 3_000),
        Limit("TTFB", "Time to First Byte", "ms", 800, 1_800),
    )
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `source`: `vitals` (newest reports of a view), `units` (a count for each `key`), or `events`.

    `sql` is the value: of a row of `events`, or of a group of them (vitals, units). `unit` is `ms`, `bytes`, `px`, `share`,
    `a view` or empty; `noun` is what n counts.
    """

    name: str
    title: str
    unit: str
    source: str
    sql: str
    types: tuple[str, ...]
    aggregates: tuple[str, ...]
    noun: str = "views"
    key: str = "view_id"
    limit: Limit | None = None
    joined: str = ""  # what is joined to events that the value speaks of

    @property
    def aggregate(self) -> str:
        """What is asked for unless the question says otherwise."""
        return self.aggregates[0]

    @property
    def is_count(self) -> bool:
        """Whether it counts things and has no values of its own."""
        return self.aggregates[0] == "count"


_OF_VALUES = ("p75", "p50", "p90", "p95", "p99", "count")
_OF_LIMITED = ("p75", "p50", "p90", "p95", "p99", "share_poor", "share_good", "count")
_OF_RATIOS = ("rate", "p50", "p75", "p90", "p95", "p99")
_OF_SHARES = ("rate", "count")
_OF_COUNTS = ("count", "rate")


def _newest(name: str) -> str:
    return f"argMaxIf(events.value, age, events.name = '{name}')"


def _vital(limit: Limit) -> Metric:
    return Metric(
        limit.name.lower(), limit.title, limit.unit, "vitals", _newest(limit.name), ("vital",), _OF_LIMITED, limit=limit
    )


def _event(name: str, title: str, unit: str, sql: str, *types: str, noun: str) -> Metric:
    return Metric(name, title, unit, "events", sql, types, _OF_VALUES, noun)


def _of_traces(name: str, title: str, sql: str, joined: str, *types: str, noun: str) -> Metric:
    return Metric(name, title, "", "events", sql, types, _OF_VALUES, noun, joined=joined)


def _share(name: str, title: str, sql: str, *types: str, noun: str) -> Metric:
    return Metric(name, title, "share", "events", sql, types, _OF_SHARES, noun)


def _per_view(name: str, title: str, unit: str, sql: str, *types: str) -> Metric:
    return Metric(name, title, unit, "units", sql, ("view", *types), _OF_RATIOS)


def _number(name: str, title: str, sql: str, *types: str) -> Metric:
    return Metric(name, title, "", "events", sql, types, _OF_COUNTS, name)


def _counted(type_: str) -> str:
    return f"countIf(is_counted AND events.type = '{type_}')"


def _any_poor() -> str:
    """Whether one of the three core vitals of a view is poor; NULL when none was measured."""
    core = [LIMITS[name] for name in ("LCP", "INP", "CLS")]
    poor = ", ".join(f"ifNull({_newest(limit.name)} > {limit.poor:g}, 0)" for limit in core)
    return f"if(countIf(events.name IN ('LCP', 'INP', 'CLS')) = 0, NULL, greatest({poor}))"


_FAILED = "(events.failure != '' OR ifNull(events.status_code, 0) >= 400)"

# How often the operation that was called most was called in one trace: a list fetched row by row shows in it.
_REPEATS = (
    "ANY LEFT JOIN (SELECT TraceId, max(n) AS most FROM (SELECT TraceId, count() AS n FROM otel_traces WHERE"
    " SpanKind = 'Server' AND received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')"
    " AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC') GROUP BY TraceId, ServiceName, SpanName)"
    " GROUP BY TraceId) AS repeats ON repeats.TraceId = events.trace_id"
)

METRICS = {
    metric.name: metric
    for metric in (
        *map(_vital, LIMITS.values()),
        Metric("share_poor", "Views with a poor vital", "share", "vitals", _any_poor(), ("vital",), _OF_SHARES),
        _event("view_duration", "Load time of a view", "ms", "events.duration_ms", "view", noun="views"),
        _event("fetch_duration", "Duration of a fetch", "ms", "events.duration_ms", "fetch", noun="fetches"),
        _event("resource_duration", "Duration of a resource", "ms", "events.duration_ms", "resource", noun="resources"),
        _event("feed_paint", "Feed: trigger to painted", "ms", "events.duration_ms", "feed", noun="feed loads"),
        _event("feed_stall", "Feed: reader waits at the end", "ms", "events.stall_ms", "feed", noun="feed loads"),
        _event("longframe_duration", "Length of a long frame", "ms", "events.duration_ms", "longframe", noun="long frames"),
        _event("blocking", "Blocking time of a long frame", "ms", "events.value", "longframe", noun="long frames"),
        _event("mark_duration", "Duration of a mark", "ms", "events.duration_ms", "mark", noun="marks"),
        _per_view("requests_per_view", "Requests per view", "a view", _counted("fetch"), "fetch"),
        _per_view(
            "resources_per_view", "Resources per view", "a view",
            "sumIf(ifNull(events.count, 1), is_counted AND events.type = 'resource')", "resource",
        ),
        _per_view(
            "bytes_per_view", "Bytes per view", "bytes",
            "sumIf(ifNull(events.bytes, 0), is_counted AND events.type != 'feed')", "fetch", "resource",
        ),
        _per_view(
            "blocking_per_view", "Blocking time per view", "ms",
            "sumIf(ifNull(events.value, 0), is_counted AND events.type = 'longframe')", "longframe",
        ),
        _per_view(
            "feed_loads_per_view", "Feed loads per view", "a view", _counted("feed"), "feed",
        ),
        _per_view(
            "errors_per_view", "Errors per view", "a view",
            "sumIf(ifNull(events.count, 1), is_counted AND events.type = 'error')", "error",
        ),
        Metric(
            "error_rate", "Views with an error", "share", "units",
            f"{_counted('error')} > 0", ("view", "error"), _OF_SHARES,
        ),
        _share("fetch_failure_rate", "Fetches that fail", _FAILED, "fetch", noun="fetches"),
        _share("feed_burst_rate", "Feed loads asked for again", "ifNull(events.burst, 1) > 1", "feed", noun="feed loads"),
        _share("feed_give_up_rate", "Feed loads given up on", "ifNull(events.abandoned, 0)", "feed", noun="feed loads"),
        _share(
            "default_flag_rate", "Views on a flag's default", "arrayExists(source -> source = 'default',"
            " mapValues(events.flag_sources))", "view", noun="views",
        ),
        _share("clock_off_rate", "Views with a wrong clock", "events.clock = 'shifted'", "view", noun="views"),
        _of_traces(
            "repeated_calls", "Equal calls in a trace", "nullIf(repeats.most, 0)", _REPEATS, "view", "fetch",
            noun="requests",
        ),
        _number("count", "Events", "1"),
        _number("views", "Views", "1", "view"),
        _number("requests", "Requests", "1", "fetch"),
        _number("errors", "Errors", "ifNull(events.count, 1)", "error"),
        _number("feed_loads", "Feed loads", "1", "feed"),
        Metric("sessions", "Sessions", "", "units", "1", (), _OF_COUNTS, "sessions", "session_id"),
        Metric("users", "Users", "", "units", "1", (), _OF_COUNTS, "users", "user_id"),
    )
}  # fmt: skip


def metric_of(name: str) -> Metric:
    """The metric of this name, a numeric column included; raises `BadQuestion`, naming what there is."""
    if known := METRICS.get(name):
        return known
    kind, dot, _ = name.partition(".")
    if name in FIELDS or (dot and kind in MAPS):
        field = field_of(name)
        if field.kind == "number" or kind == "attr":
            unit = next((u for u in ("ms", "px") if name.endswith(f"_{u}")), "bytes" if name == "bytes" else "")
            return Metric(name, name, unit, "events", field.sql, field.types, _OF_VALUES, "events", key=field.key)
    numbers = [field.name for field in FIELDS.values() if field.kind == "number" and field.name not in METRICS]
    raise BadQuestion(
        f"there is no metric {name!r}; there are {', '.join(METRICS)}, the columns {', '.join(numbers)}, "
        "attr.NAME and phase.NAME"
    )


def check_aggregate(metric: str, aggregate: str) -> str:
    """The aggregate, the metric's own if none is named; raises `BadQuestion` for one that makes no sense with it."""
    known = metric_of(metric) if metric else None
    allowed = known.aggregates if known else AGGREGATES
    if aggregate and aggregate not in allowed:
        what = f"{metric} has no {aggregate!r}" if known else f"there is no aggregate {aggregate!r}"
        raise BadQuestion(f"{what}; there are {', '.join(allowed)}. Means hide what hurts, so there is none")
    return aggregate or allowed[0]


def fewest_beyond(level: float) -> int:
    """How many values it takes to have ten on the rarer side of a percentile: 40 for the p75, 100 for the p90."""
    return math.ceil(round(10 / (1 - level), 6))  # 1 - 0.9 is a little less than 0.1
