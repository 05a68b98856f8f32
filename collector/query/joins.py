"""Joins: which requests of browsers found their backend's spans, and why the others did not.

A request is a page load, a fetch or an XHR. It is joined by id, at read time, so that late spans join when they come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from collector.query.question import Question, ask, milliseconds
from collector.query.vitals import BUCKETS
from collector.store import Store

# A backend's SDK hands its spans on every few seconds, a collector between them once a minute.
LATE = timedelta(minutes=2)
# A page whose server was done so long before it was asked for came out of a cache.
STALE = timedelta(seconds=10)
# Spans may be in the store before the beacon that they belong to.
BEFORE = timedelta(hours=1)

REASONS = {
    "unasked": "no trace passed on: tracing was off, the origin is not on the list, or it began before the snippet; a page"
    " load's reply names its trace in Server-Timing, and this one did not",
    "opaque": "timing not allowed: another origin without Timing-Allow-Origin, so nothing can be known of it",
    "cached": "cached: the reply came out of a cache, and its trace belongs to whoever asked first",
    "foreign": "foreign trace: another SDK, or the page itself, set traceparent",
    "unsampled": "unsampled: the backend said that it does not record this trace",
    "insecure": "insecure page: browsers read Server-Timing over https and on loopback only",
    "unanswered": "unanswered: it failed before a reply came, and may never have reached a server",
    "late": "late: asked for within the last two minutes; its spans may still come",
    "lost": "lost: whoever answers here sends spans, and of this request none came",
    "dark": "dark: no request of this kind was joined; whoever answers it may send no spans",
}


@dataclass(slots=True)
class Share:
    """Requests of one kind: how many there were, joined, and not joined by reason. `network_ms` is what of
    `request_ms`, the length of all fetches whose server's time is known, was not spent in the server; no clock is
    needed for that."""

    name: str = ""
    requests: int = 0
    misses: dict[str, int] = field(default_factory=dict)
    timed: int = 0
    request_ms: float = 0.0
    network_ms: float = 0.0

    @property
    def joined(self) -> int:
        """How many were joined."""
        return self.requests - sum(self.misses.values())

    @property
    def due(self) -> int:
        """How many should have been joined: those that carried a trace of theirs, whose spans must be here by now."""
        return self.joined + self.misses.get("lost", 0) + self.misses.get("dark", 0)

    def add(self, row: dict[str, Any]) -> None:
        """One more row of the query."""
        self.requests += row["n"]
        if row["reason"]:
            self.misses[row["reason"]] = row["n"]
        self.timed += row["timed"]
        self.request_ms += row["asked_ms"] or 0.0
        self.network_ms += (row["asked_ms"] or 0.0) - (row["served_ms"] or 0.0)


@dataclass(frozen=True, slots=True)
class Joined:
    """The joined share: `all`, over time (a slice's number → its share), by route and by who answers, the busiest
    first: a service's name where it is known, else the host that was asked."""

    all: Share
    series: dict[int, Share]
    routes: list[Share]
    backends: list[Share]


def joined(store: Store, question: Question) -> Joined:
    """How many of the question's requests were joined, and why the others were not."""
    step = milliseconds(question.until) - milliseconds(question.since)
    since = milliseconds(question.since - BEFORE)
    rows = ask(store, "joined", question, step_ms=step / BUCKETS, buckets=BUCKETS, spans_since_ms=since, **_limits())
    found: dict[str, dict[str, Share]] = {"all": {}, "time": {}, "route": {}, "backend": {}}
    for row in rows:
        found[row["what"]].setdefault(row["which"], Share(row["which"])).add(row)
    return Joined(
        found["all"].get("") or Share(),
        {int(name): share for name, share in sorted(found["time"].items(), key=lambda item: int(item[0]))},
        _busiest(found["route"].values()),
        _busiest(found["backend"].values()),
    )


def _busiest(shares: Iterable[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share.requests, share.name))


def _limits() -> dict[str, int]:
    return {"late_ms": LATE // timedelta(milliseconds=1), "stale_ms": STALE // timedelta(milliseconds=1)}
