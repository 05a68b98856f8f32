"""Clock: how far the browser's clock is from a backend host's, as an interval, from all requests of a session.

Two things are certain of a request: its server began after the browser did, and before the browser had the answer. Nearly
certain is that it also ended before that: a span may be closed a moment after its last byte has left. Requests must agree,
so their intervals are intersected; clocks drift, so a request far off says less. Where what is certain contradicts itself,
a clock was set in between.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from collector.query.trace import Pair

# Browsers round times, to a tenth of a millisecond or a whole one, at both ends of a span, and OpenTelemetry's SDK for
# Node begins spans at whole ones: https://developer.mozilla.org/docs/Web/API/Performance_API/High_precision_timing
ROUNDING_MS = 2.0
# How long after its last byte a server may close its span without anybody noticing. Where one is seen to have taken longer,
# because it would have ended after its answer was there, all of the host's are taken to be capable of that.
TAIL_MS = 10.0
# Crystals of computers differ by up to 50 parts in a million: https://www.rfc-editor.org/rfc/rfc5905 (15 for a good one)
DRIFT = 50e-6
# A request is held against so many before it.
RECENT = 40


@dataclass(frozen=True, slots=True)
class Offset:
    """One host's clock minus the browser's, in milliseconds, between `low` and `high`, from `pairs` requests; between
    `likely` and `high` unless the tightest of them closed its span late. `steps` is
    how often a clock was set within the session, and `stepped_ms` by how much nearest to here. `source` is `requests`, or
    `beacon` where only the beacon's travel bounds it."""

    host: str
    low: float
    high: float
    pairs: int
    likely: float
    source: str = "requests"
    steps: int = 0
    stepped_ms: float = 0.0

    @property
    def is_contradictory(self) -> bool:
        """Whether no one offset fits all requests of the session."""
        return self.steps > 0

    @property
    def ms(self) -> float:
        """What to take off the host's times. Clocks that may well agree are taken to: nothing is moved for nothing."""
        return 0.0 if self.likely <= 0 <= self.high else -self.browser_ahead_ms

    @property
    def browser_ahead_ms(self) -> float:
        """How far the browser's clock is ahead of the host's, in the middle of what is likely."""
        return -(self.likely + self.high) / 2

    @property
    def error_ms(self) -> float:
        """How far the truth may lie from that."""
        return max(self.high + self.browser_ahead_ms, -self.browser_ahead_ms - self.low)


@dataclass(frozen=True, slots=True)
class Bound:
    """What one request says: the offset lies certainly between `least` and `high`, and above `low` unless the span was
    closed late."""

    at_ns: int
    least: float
    low: float
    high: float

    def widened(self, at_ns: int) -> "Bound":
        """What it says of another moment."""
        slack = abs(self.at_ns - at_ns) / 1e6 * DRIFT
        return Bound(self.at_ns, self.least - slack, self.low - slack, self.high + slack)


def offsets(pairs: Iterable[Pair], at_ns: int | None = None) -> dict[str, Offset]:
    """Offsets by host as of a moment of the browser's clock, by default the middle of the requests."""
    by_host: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.client_end_ns > pair.client_start_ns:
            by_host[pair.host].append(pair)
    found = (_offset(host, pairs, at_ns) for host, pairs in by_host.items())
    return {offset.host: offset for offset in found if isfinite(offset.low)}


def _offset(host: str, pairs: list[Pair], at_ns: int | None) -> Offset:
    # A page may come out of a cache with an old server's ids; a fetch's own id cannot.
    fetches = [pair for pair in pairs if not pair.is_load]
    used = sorted(map(bound, fetches or pairs), key=lambda one: one.at_ns)
    for load in (bound(pair) for pair in pairs if pair.is_load and fetches):
        low, likely, high = _intersect(used, load.at_ns)
        if load.least <= high and load.high >= low:
            used.append(load)
    used.sort(key=lambda one: one.at_ns)
    at = used[len(used) // 2].at_ns if at_ns is None else at_ns
    runs = _runs(used)
    own = min(range(len(runs)), key=lambda nr: min(abs(one.at_ns - at) for one in runs[nr]))
    low, likely, high = _intersect(runs[own], at)
    found = Offset(host, low, high, len(runs[own]), likely, steps=len(runs) - 1)
    if len(runs) > 1:
        other = runs[own - 1] if own else runs[1]
        low, likely, high = _intersect(other, at)
        found = replace(found, stepped_ms=abs((likely + high) / 2 + found.browser_ahead_ms))
    return found


def bound(pair: Pair) -> Bound:
    """What one request says of the offset, in milliseconds."""
    high = (pair.server_start_ns - pair.client_start_ns) / 1e6 + ROUNDING_MS
    if pair.is_cut:  # the server may never have noticed, and have begun after the browser had gone
        return Bound(pair.client_start_ns, float("-inf"), float("-inf"), high)
    least = (pair.server_start_ns - pair.client_end_ns) / 1e6 - ROUNDING_MS
    low = (pair.server_end_ns - pair.client_end_ns) / 1e6 - ROUNDING_MS
    return Bound(pair.client_start_ns, least, max(least, low), high)


def _intersect(run: Sequence[Bound], at_ns: int) -> tuple[float, float, float]:
    """The offset as of a moment, from requests of which nothing certain contradicts the rest: low, likely low, high."""
    seen = [one.widened(at_ns) for one in run]
    high = min(one.high for one in seen)
    least = min(high, max(one.least for one in seen))
    tail = max(TAIL_MS, max(one.low for one in seen) - high)
    likely = max([one.low for one in seen if one.low <= high], default=least)
    low = max(least, likely - tail)
    return low, max(low, likely) if tail == TAIL_MS else low, high


def _runs(used: Sequence[Bound]) -> list[list[Bound]]:
    """Requests in order of time, parted where a clock was set."""
    runs: list[list[Bound]] = [[used[0]]]
    for one in used[1:]:
        seen = [past.widened(one.at_ns) for past in runs[-1][-RECENT:]]
        if one.high < max(past.least for past in seen) or one.least > min(past.high for past in seen):
            runs.append([one])
        else:
            runs[-1].append(one)
    return runs
