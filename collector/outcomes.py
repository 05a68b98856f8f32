"""Outcomes: every way the story of a beacon or an event can end, each with one word, a status and a sentence.

The word is the same in the reply header, the counter, the ledger and on the pages; docs/wire.md lists them. A `Tally`
counts what a door refused until the ledger has it; what was stored is counted by the store itself, from the rows.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class Outcome(StrEnum):
    """One named end. `status` is the HTTP status at the door, 0 where the door never sees it."""

    status: int
    meaning: str

    def __new__(cls, word: str, status: int, meaning: str) -> "Outcome":
        outcome = str.__new__(cls, word)
        outcome._value_ = word
        outcome.status = status
        outcome.meaning = meaning
        return outcome

    STORED = "stored", 204, "kept on disk, on its way into the store"

    BAD_JSON = "bad_json", 400, "the body is not JSON in UTF-8"
    BAD_VERSION = "bad_version", 400, "this collector reads version 1 of the beacon"
    BAD_BEACON = "bad_beacon", 400, "a field of the beacon is missing, of the wrong type or out of range"
    NO_EVENT = "no_event", 400, "no event of the beacon could be kept"
    UNKNOWN_KEY = "unknown_key", 403, "no app has this write key"
    ORIGIN_REFUSED = "origin_refused", 403, "the page's origin is not on the app's list"
    BAD_METHOD = "bad_method", 405, "this address takes POST"
    TOO_SLOW = "too_slow", 408, "the body did not arrive in time"
    TOO_LARGE = "too_large", 413, "the body is over its limit"
    BAD_ENCODING = "bad_encoding", 415, "the body's encoding is not gzip, deflate or none, or does not inflate"
    RATE_LIMITED = "rate_limited", 429, "too much at once from this key or network"
    BUSY = "busy", 503, "more is waiting for the disk than memory is allowed for"
    SPOOL_FULL = "spool_full", 503, "the spool has reached its cap"
    SPOOL_FAILED = "spool_failed", 503, "the disk refused the write"

    EVENT_INVALID = "event_invalid", 0, "a field of the event is missing, of the wrong type or out of range"
    EVENT_UNKNOWN_TYPE = "event_unknown_type", 0, "the event's type is unknown to this collector"
    EVENT_OVER_LIMIT = "event_over_limit", 0, "the beacon held more events than are read from one"
    REPEAT = "repeat", 0, "a beacon with this id was stored within the last 24 hours"
    TORN = "torn", 0, "a crash cut this line off before it was acknowledged"
    QUARANTINED = "quarantined", 0, "the store cannot take this line; it is kept aside with the reason"

    ERASED = "erased", 0, "of somebody who has been erased since it was received"

    BAD_OTLP = "bad_otlp", 400, "the body is not an OTLP trace request"
    BAD_TOKEN = "bad_token", 401, "backend spans need the collector's OTLP token"
    SPAN_INVALID = "span_invalid", 0, "a span without a valid trace id, span id or time"
    SPAN_OUT_OF_TIME = "span_out_of_time", 0, "a span from more than 7 days ago or more than a day ahead"


DETAILS_A_MINUTE = 3  # different ones, of an app and outcome: whoever knocks with a new origin each time fills no disk
DETAIL_CHARS = 200

RETRY_AFTER_S = 10
"""What a refused client is asked to wait when the refusal is about now and not about it."""


class Refused(Exception):  # noqa: N818  (a refusal is an outcome, not a fault)
    """The story ends at the door. `detail` says what was wrong with this one, and what to do."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(f"{outcome.meaning}{': ' + detail if detail else ''}")
        self.outcome = outcome
        self.detail = detail


class Tally(Collector):
    """Counts refusals per app and minute until `drain` hands them to the ledger, and everything for /metrics. Of what was
    wrong it remembers a few different sentences of each outcome a minute.

    Thread-safe.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._lock = threading.Lock()
        self._refused: Counter[tuple[str, int, str]] = Counter()
        self._said: dict[tuple[str, str], tuple[int, set[str]]] = {}
        self._details: list[dict[str, str | int]] = []
        self._events: dict[tuple[str, str], int] = {}
        registry.register(self)

    def refuse(self, app: str, outcome: str, n: int = 1, detail: str = "") -> None:
        """Count `n` events of `app` (empty when unknown) under an outcome that will not be seen again downstream."""
        minute = _minute()
        with self._lock:
            self._refused[app, minute, outcome] += n
        self._count(app, outcome, n)
        if detail:
            self.explain(app, outcome, detail)

    def explain(self, app: str, outcome: str, detail: str) -> None:
        """Remember what was wrong, unless it was said already this minute, or enough else was."""
        minute, detail = _minute(), detail[:DETAIL_CHARS]
        with self._lock:
            since, said = self._said.get((app, outcome), (0, set()))
            if since != minute:
                since, said = self._said[app, outcome] = minute, set()
            if detail not in said and len(said) < DETAILS_A_MINUTE:
                said.add(detail)
                self._details.append({"app": app, "outcome": str(outcome), "minute": minute, "detail": detail})

    def acknowledge(self, app: str, n: int) -> None:
        """Count `n` events as acknowledged in the metrics; the ledger will count them where they are stored."""
        self._count(app, Outcome.STORED, n)

    def _count(self, app: str, outcome: str, n: int) -> None:
        with self._lock:
            self._events[app, outcome] = self._events.get((app, outcome), 0) + n

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What Prometheus asks for. A metric object for each app and outcome costs the door ten times as much."""
        family = CounterMetricFamily("farside_events", "Events by app and outcome", labels=["app", "outcome"])
        with self._lock:
            counted = list(self._events.items())
        for labels, n in counted:
            family.add_metric(labels, n)
        yield family

    def drain(self) -> list[dict[str, str | int]]:
        """Take everything counted so far: rows (app, minute in seconds since 1970, outcome, n)."""
        with self._lock:
            refused, self._refused = self._refused, Counter()
        return [{"app": a, "minute": m, "outcome": str(o), "n": n} for (a, m, o), n in refused.items()]

    def drain_details(self) -> list[dict[str, str | int]]:
        """Take what was wrong since the last time: rows (app, outcome, minute in seconds since 1970, detail)."""
        with self._lock:
            details, self._details = self._details, []
        return details


def _minute() -> int:
    return int(time.time()) // 60 * 60
