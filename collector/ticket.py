"""Ticket: one question under way, which whoever asked it may withdraw.

Set in `TICKET` before a question is asked in a thread of its own; the store then marks every query with it, allows it no
more time than the ticket has, and knows how to stop it. No reader works on for somebody who has stopped waiting.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LEAST_S = 0.1


class Ticket:
    """Patience for one question. Withdrawing it stops what runs, and what would have run next."""

    def __init__(self, patience_s: float) -> None:
        self.mark = f"/* ticket {secrets.token_hex(8)} */ "
        self.is_withdrawn = False
        self._until = time.monotonic() + patience_s
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self._running = 0

    @property
    def left_s(self) -> float:
        """What is left of the patience, in seconds."""
        return max(LEAST_S, self._until - time.monotonic())

    @contextmanager
    def running(self, stop: Callable[[], None]) -> Iterator[None]:
        """While a query runs that `stop` would stop; several may run at once, and one stop ends them all."""
        with self._lock:
            self._stop = stop
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self._stop = None

    def withdraw(self) -> None:
        """Nobody waits any more. Blocks for as long as it takes to tell the engine."""
        with self._lock:
            self.is_withdrawn = True
            if self._stop:
                self._stop()


TICKET: ContextVar[Ticket | None] = ContextVar("ticket", default=None)
