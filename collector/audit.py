"""Audit: every change somebody makes, written down before it is made.

`record` first, then the change: what was not written down does not happen. Rows are never altered; a page shows them
(`/audit`), with what was different between `before` and `after`.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from collector.people import Person
from collector.store import Store

Facts = Mapping[str, Any]
NONE: Facts = MappingProxyType({})


def record(
    store: Store, person: Person, action: str, subject: str, *, app: str = "", before: Facts = NONE, after: Facts = NONE
) -> None:
    """Write down one change. `action` is noun and verb (`rule saved`), `subject` the id of what is changed; `before` and
    `after` hold its fields, empty where there is nothing. Blocks; raises `StoreAway`, and then nothing must change."""
    row = {
        "id": secrets.token_hex(16),
        "at": datetime.now(UTC),
        "who": person.name,
        "came_by": person.by,
        "action": action,
        "app": app,
        "subject": subject,
        "before": {name: _text(value) for name, value in before.items()},
        "after": {name: _text(value) for name, value in after.items()},
    }
    store.append("audit", [row])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
