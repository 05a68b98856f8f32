"""Audit: what was changed, by whom, newest first."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import sql
from collector.store import Store

CHANGES = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `before` and `after` are the fields of what was changed, empty where it was not or is no more."""

    id: str
    at: datetime
    who: str
    came_by: str
    action: str
    app: str
    subject: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """(field, before, after) of every field that is not the same."""
        names = sorted({*self.before, *self.after})
        found = [(name, self.before.get(name, ""), self.after.get(name, "")) for name in names]
        return [(name, then, now) for name, then, now in found if then != now]


def changes(store: Store, who: str = "", action: str = "", subject: str = "", before_ms: int = 0) -> list[Change]:
    """The newest changes, at most CHANGES; empty filters let everything through, `before_ms` turns the page."""
    bound = {"who": who, "action": action, "subject": subject, "before_ms": before_ms or 4_102_444_800_000}
    return [Change(**row) for row in store.read(sql("changes"), bound | {"limit": CHANGES})]


def change_words(store: Store) -> tuple[list[str], list[str]]:
    """Everybody who ever changed something, and every kind of change."""
    row = store.read(sql("change_words"))[0]
    return row["people"], row["actions"]
