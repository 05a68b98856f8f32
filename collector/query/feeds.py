"""Feeds: what an infinite scroll asks for, and who suffers: by viewport height, by type of page, by batch, over time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import BUCKETS
from collector.store import Store

# Lower edges of the heights told apart, in CSS pixels: phones on their side, phones, laptops, desktops, tall windows.
EDGES = (0, 500, 600, 700, 800, 900, 1_000, 1_200, 1_500, 2_000)
LAST_BATCH = 10
PAGE_TYPES = 30
FEWEST_VIEWS = 3
SUSPECT = 2.0  # so many times as many as elsewhere, at the least, is a finding
Z = 1.96  # 95 % of a normal distribution lie within so many standard errors


@dataclass(frozen=True, slots=True)
class Height:
    """One route at one height of the viewport. `times` compares its requests for each view with the same route's at
    all other heights, `times_at_least` is the lower end of that ratio's 95 % interval; None: nothing to compare with."""

    route: str
    edge: int
    views: int
    requests: int
    most: int
    view_id: str
    elsewhere: float | None = None
    times: float | None = None
    times_at_least: float | None = None

    @property
    def rate(self) -> float:
        """Requests for each view."""
        return self.requests / self.views

    @property
    def is_enough(self) -> bool:
        """Whether there are views enough to speak of it."""
        return self.views >= FEWEST_VIEWS

    @property
    def is_suspect(self) -> bool:
        """Whether this height asks for clearly more than the route's others."""
        return self.times_at_least is not None and self.times_at_least >= SUSPECT

    @property
    def is_perhaps_suspect(self) -> bool:
        """Whether it asks for more, but in too few views, or too uneven ones, to be sure."""
        return not self.is_suspect and self.times is not None and self.times >= SUSPECT

    @property
    def too_many(self) -> float:
        """Requests beyond what the same views would have made at other heights."""
        return max(0.0, self.requests - self.views * (self.elsewhere or 0.0))


@dataclass(frozen=True, slots=True)
class PageType:
    """One type of page: its requests by cause, and for its views the median and 95th percentile of their number."""

    route: str
    views: int
    total: int
    load: int
    scroll: int
    input: int
    timer: int
    p50: int
    p95: int

    @property
    def rate(self) -> float:
        """Requests for each view."""
        return self.total / self.views

    @property
    def other(self) -> int:
        """Requests whose cause is not known."""
        return self.total - self.load - self.scroll - self.input - self.timer


@dataclass(frozen=True, slots=True)
class Batch:
    """All loads of one feed with one number; `paint` (trigger → painted) and `stall` are p50, p75, p95 in ms."""

    name: str
    nr: int
    loads: int
    views: int
    bursts: int
    abandoned: int
    failures: int
    paint_n: int
    paint: tuple[float, float, float]
    stall_n: int
    stall: tuple[float, float, float]

    @property
    def is_rest(self) -> bool:
        """Whether all later numbers are in it too."""
        return self.nr == LAST_BATCH


@dataclass(frozen=True, slots=True)
class Slice:
    """Feed loads in one slice of time."""

    bucket: int
    loads: int
    bursts: int


def heights(store: Store, question: Question) -> list[Height]:
    """Routes by viewport height, the one that is surest out of line first, then those that may be."""
    rows = ask(store, "heights", question, edges=list(EDGES))
    by_route: dict[str, list[dict[str, float]]] = {}
    for row in rows:
        by_route.setdefault(row["route"], []).append(row)
    found = [_compared(row, by_route[row["route"]]) for row in rows]
    return sorted(found, key=_rank)


def _rank(height: Height) -> tuple[float, ...]:
    kind = 0 if height.is_suspect else 1 if height.is_perhaps_suspect else 2
    sure = height.times_at_least if height.is_suspect else height.times
    return kind, -(sure or 0.0), -height.too_many, -height.rate, height.edge


def _compared(row: dict[str, float], route: Sequence[dict[str, float]]) -> Height:
    plain = Height(
        str(row["route"]), int(row["edge"]), int(row["views"]), int(row["total"]), int(row["most"]), str(row["view_id"])
    )
    others = [other for other in route if other is not row]
    views = sum(other["views"] for other in others)
    if views < FEWEST_VIEWS or not plain.is_enough:
        return plain
    elsewhere = sum(other["total"] for other in others) / views
    # One request a view is the least a ratio is told from: three instead of none is no flood.
    against = max(elsewhere, 1.0)
    least = max(0.0, plain.rate - Z * _standard_error(row))
    return Height(
        plain.route, plain.edge, plain.views, plain.requests, plain.most, plain.view_id,
        elsewhere, plain.rate / against, least / against,
    )  # fmt: skip


def _standard_error(row: dict[str, float]) -> float:
    """Of the mean number of requests; weights count as Kish's effective number of views."""
    mean = row["total"] / row["weights"]
    variance = max(0.0, row["squares"] / row["weights"] - mean * mean)
    size = row["weights"] ** 2 / row["weights_squared"]
    return math.sqrt(variance / max(1.0, size - 1))


def page_types(store: Store, question: Question) -> list[PageType]:
    """Types of pages, those with most requests a view first."""
    rows = ask(store, "page_types", question, limit=PAGE_TYPES)
    return [PageType(**{name: row[name] for name in PageType.__slots__}) for row in rows]


def batches(store: Store, question: Question) -> list[Batch]:
    """Feeds by batch number."""
    rows = ask(store, "batches", question, last=LAST_BATCH)
    return [Batch(**row | {"paint": tuple(row["paint"]), "stall": tuple(row["stall"])}) for row in rows]


def feed_course(store: Store, question: Question) -> list[Slice]:
    """Feed loads over time, in BUCKETS slices."""
    step = milliseconds(question.until) - milliseconds(question.since)
    return [Slice(**row) for row in ask(store, "feed_course", question, step_ms=step / BUCKETS)]
