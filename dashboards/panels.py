"""Panels: the questions of one page, asked at the same time, each within its budget.

A question that takes too long or fails leaves its own panel empty, with a sentence, and not the page, and stops in the
engine too. Since when the
store has been away is remembered here, so that a page can say it.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from collector.store import QueryFailed, StoreAway
from collector.ticket import TICKET, Ticket

BUDGET_S = 2.0
OUT_OF_TIME = 159  # the engine's own clock was a little faster than ours
PATIENT_S = 30.0
T = TypeVar("T")
_BESIDE = ThreadPoolExecutor(4, "farside-beside")


def beside(question: Callable[[], T]) -> Future[T]:
    """Begin a question beside the one its caller goes on to ask, under the same ticket."""
    return _BESIDE.submit(copy_context().run, question)


@dataclass(frozen=True, slots=True)
class Panel:
    """What became of one question: its `value`, or the `problem`; `is_late` when more patience would help."""

    value: Any = None
    problem: str = ""
    is_late: bool = False

    @property
    def is_answered(self) -> bool:
        """Whether there is a value to show."""
        return not self.problem


class Panels:
    """Asks, for all pages."""

    def __init__(self) -> None:
        self.away_since: datetime | None = None
        self.away_because = ""

    async def ask(self, questions: dict[str, Callable[[], Any]], budget_s: float = BUDGET_S) -> dict[str, Panel]:
        """Run every question in a thread of its own, at once."""
        panels: dict[str, Panel] = {}

        async def run(name: str, question: Callable[[], Any]) -> None:
            panels[name] = await self._answer(question, budget_s)

        async with anyio.create_task_group() as group:
            for name, question in questions.items():
                group.start_soon(run, name, question)
        return {name: panels[name] for name in questions}

    async def _answer(self, question: Callable[[], Any], budget_s: float) -> Panel:
        ticket = Ticket(budget_s)
        TICKET.set(ticket)  # each question is a task of its own, and so is its context
        try:
            with anyio.move_on_after(budget_s):
                return await self._outcome(question)
        finally:
            # Also when the request itself was cancelled: then nobody waits for the answer either.
            with anyio.CancelScope(shield=True), contextlib.suppress(StoreAway):
                await anyio.to_thread.run_sync(ticket.withdraw)
        return Panel(problem=f"This takes longer than {budget_s:g} s.", is_late=True)

    async def _outcome(self, question: Callable[[], Any]) -> Panel:
        try:
            value = await anyio.to_thread.run_sync(question, abandon_on_cancel=True)
        except QueryFailed as error:
            if error.code == OUT_OF_TIME:
                return Panel(problem="This takes longer than it may.", is_late=True)
            return Panel(problem=f"The store refused this question: {error}")
        except StoreAway as error:
            self.away_since = self.away_since or datetime.now(UTC)
            self.away_because = str(error)
            return Panel(problem=f"The store did not answer: {error}")
        self.away_since, self.away_because = None, ""
        return Panel(value)
