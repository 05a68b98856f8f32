"""Live: what has just arrived, for a tail to show."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import Question, ask
from collector.store import Store

ROWS = 60


@dataclass(frozen=True, slots=True)
class Arrival:
    """One view, fetch, feed load or error."""

    event_id: str
    view_id: str
    session_id: str
    user_id: str
    type: str
    received_at: datetime
    timestamp: datetime
    route: str
    path: str
    name: str
    url: str
    endpoint: str
    status_code: int | None
    duration_ms: float | None
    failure: str
    error_type: str
    message: str
    burst: int | None
    batch: int | None
    browser: str
    device: str
    country: str
    team: str
    total: int

    @property
    def is_failed(self) -> bool:
        """Whether it tells of something that went wrong."""
        return self.type == "error" or bool(self.failure) or (self.status_code or 0) >= 400


def arrived(store: Store, question: Question, limit: int = ROWS) -> list[Arrival]:
    """The newest of what arrived within the question's time."""
    return [Arrival(**row) for row in ask(store, "arrived", question, limit=limit)]
