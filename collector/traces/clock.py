"""Clock: how far the browser's clock is from a backend host's, as an interval.

A server span lies within the request that caused it, so server − client is at least (server end − client end) and at
most (server start − client start). All requests of a trace to one host must agree: their intervals are intersected.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from collector.query.trace import Span

# Browsers round times, to a tenth of a millisecond or a whole one, at both ends of a span:
# https://developer.mozilla.org/docs/Web/API/Performance_API/High_precision_timing
ROUNDING_MS = 1.0


@dataclass(frozen=True, slots=True)
class Offset:
    """One host's clock minus the browser's, in milliseconds, between `low` and `high`; the two are swapped where
    requests contradict each other. `source` is `requests`, or `beacon` where only the beacon's travel bounds it."""

    host: str
    low: float
    high: float
    pairs: int
    source: str = "requests"

    @property
    def is_contradictory(self) -> bool:
        """Whether no offset fits all requests: a clock was set, or a span was joined that does not belong."""
        return self.low > self.high

    @property
    def ms(self) -> float:
        """What to take off the host's times. Clocks that may well agree are taken to: nothing is moved for nothing."""
        if not self.is_contradictory and self.low <= 0 <= self.high:
            return 0.0
        return (self.low + self.high) / 2

    @property
    def browser_ahead_ms(self) -> float:
        """How far the browser's clock is ahead of the host's, in the middle of the interval."""
        return -(self.low + self.high) / 2

    @property
    def error_ms(self) -> float:
        """Half the interval."""
        return abs(self.high - self.low) / 2


def offsets(pairs: Iterable[tuple[Span, Span]]) -> dict[str, Offset]:
    """Offsets by host, from pairs of a browser's span and the server's span within it."""
    bounds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for client, server in pairs:
        low = (server.end_ns - client.end_ns) / 1e6 - ROUNDING_MS
        high = (server.start_ns - client.start_ns) / 1e6 + ROUNDING_MS
        if client.duration_ns and low <= high:  # a server span longer than its request was cut off and bounds nothing
            bounds[server.host].append((low, high))
    return {
        host: Offset(host, max(low for low, _ in found), min(high for _, high in found), len(found))
        for host, found in bounds.items()
    }
