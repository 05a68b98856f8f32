"""Night: what is done once a day, after 3:00 UTC, when it disturbs least.

Days past their limit are dropped, rows of apps with a shorter one are deleted, and what was deleted or erased is taken off
the disk. Missed while nobody ran, it is made up for at the next start. Each step can be repeated; the day's date is
written down when all of them are done.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric

from collector.settings import Settings
from collector.store import Store, StoreAway

log = logging.getLogger("farside.night")

BEGINS_AT = 3  # o'clock, UTC
LOOK_EVERY_S = 60


class Night:
    """The daily round over one store, on a thread, or `run()` by hand in tests."""

    def __init__(
        self, settings: Settings, store: Store, registry: CollectorRegistry, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._done_file = settings.data / "night"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._removed = Metric(
            "farside_removed_rows", "Rows removed because of their age", ["table", "app"], registry=registry
        )

    def start(self) -> None:
        """Look at the clock from now on."""
        self._thread = threading.Thread(target=self._watch, name="night", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; a round that is at work is waited for."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                if self.is_due():
                    self.run()
            except StoreAway as error:
                log.warning("The nightly round will be tried again: %s", error)
            except Exception:
                log.exception("The nightly round failed; it will be tried again")

    def is_due(self) -> bool:
        """Whether today's round is still to be made."""
        now = self._now()
        return now.hour >= BEGINS_AT and (not self._done_file.exists() or self._done_file.read_text() < f"{now:%F}")

    def run(self) -> dict[tuple[str, str], int]:
        """One round; rows removed by (table, app), the app empty where a table's own limit was reached."""
        now = self._now()
        removed: Counter[tuple[str, str]] = Counter()
        for table, n in self._store.expire(now.date()).items():
            removed[table, ""] += n
        for app in self._settings.apps.values():
            if app.retention_days:
                for table, n in self._store.expire_app(app.name, app.retention_days, now.date()).items():
                    removed[table, app.name] += n
        for (table, name), n in removed.items():
            log.info("Removed %d rows of %s%s, past their time", n, table, f" of app {name}" if name else "")
            self._removed.labels(table, name).inc(n)
        if wiped := self._store.wipe():
            log.info("Rewrote %s without what was deleted", ", ".join(wiped))
        self._done_file.write_text(f"{now:%F}")
        return dict(removed)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
