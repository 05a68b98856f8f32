"""Route: one vital of a question in depth: where its values lie in time, what they are made of, what and who is behind
the slow ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import BUCKETS, LIMITS, Percentile, percentile
from collector.store import Store

# Upper edges of the steps of values, as parts of a vital's limit for good; the last step holds all that is beyond.
STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 2.0, 2.5, 3.0, 4.0, 6.0)
CULPRITS = 8
ITEMS = 6
SLOW_VIEWS = 12
PARTS = ("ttfb_ms", "load_delay_ms", "load_ms", "render_delay_ms")


@dataclass(frozen=True, slots=True)
class Cell:
    """Views in one slice of time and one step of values; `view_id` is the slowest of them."""

    bucket: int
    step: int
    views: int
    view_id: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Median parts of LCP, of the slowest quarter of views or of the others; `lcp` is their median LCP."""

    is_slow: bool
    n: int
    lcp: float
    ttfb_ms: float
    load_delay_ms: float
    load_ms: float
    render_delay_ms: float

    @property
    def sum(self) -> float:
        """The four medians together; near `lcp`, though medians do not add up."""
        return self.ttfb_ms + self.load_delay_ms + self.load_ms + self.render_delay_ms


@dataclass(frozen=True, slots=True)
class Culprit:
    """One element behind a vital: its views, how many of them were poor, and the slowest."""

    target: str
    url: str
    views: int
    poor: int
    p75: Percentile
    view_id: str


@dataclass(frozen=True, slots=True)
class Item:
    """One value of one dimension."""

    dimension: str
    item: str
    views: int
    poor: int
    p75: Percentile


@dataclass(frozen=True, slots=True)
class SlowView:
    """One of the slowest views."""

    view_id: str
    value: float
    timestamp: datetime
    path: str
    trace_id: str
    user_id: str
    browser: str
    device: str
    country: str
    target: str


def edges(vital: str) -> list[float]:
    """The upper edges of a vital's steps but the last, in its unit."""
    return [round(LIMITS[vital].good * part, 4) for part in STEPS]


def heat(store: Store, question: Question, vital: str) -> list[Cell]:
    """Where the views lie: BUCKETS slices of time × the steps of `edges`, and one beyond. Empty cells are absent."""
    span = milliseconds(question.until) - milliseconds(question.since)
    rows = ask(store, "heat", question, step_ms=span / BUCKETS, vital=vital, edges=edges(vital))
    return [Cell(**row) for row in rows]


def lcp_parts(store: Store, question: Question, slow_from: float) -> list[Parts]:
    """LCP's four parts of the views from `slow_from` on, and of the others."""
    rows = ask(store, "lcp_parts", question, slow_from=slow_from)
    return [Parts(**row | {"is_slow": bool(row["is_slow"])}) for row in rows]


def culprits(store: Store, question: Question, vital: str) -> list[Culprit]:
    """Elements behind a vital, those that were poor most often first."""
    rows = ask(store, "culprits", question, vital=vital, poor=LIMITS[vital].poor, limit=CULPRITS)
    return [
        Culprit(row["target"], row["url"], row["views"], row["poor"], percentile(row, ""), row["view_id"])
        for row in rows
    ]


def breakdown(store: Store, question: Question, vital: str) -> dict[str, Sequence[Item]]:
    """One vital by device, browser, country, connection and release, the most frequent values of each first."""
    found: dict[str, list[Item]] = {name: [] for name in ("device", "browser", "country", "connection", "release")}
    for row in ask(store, "breakdown", question, vital=vital, poor=LIMITS[vital].poor, limit=ITEMS):
        found[row["dimension"]].append(
            Item(row["dimension"], row["item"], row["views"], row["poor"], percentile(row, ""))
        )
    return dict(found)


def slow_views(store: Store, question: Question, vital: str) -> list[SlowView]:
    """The slowest views."""
    return [SlowView(**row) for row in ask(store, "slow_views", question, vital=vital, limit=SLOW_VIEWS)]
