"""Saved: questions people keep, each the plain form of the query object and the page it was asked on.

A saved question is live: it is asked of now, unless it names a time of its own. The newest row of an id wins.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from collector.query.fields import BadQuestion
from collector.query.question import Question, from_plain, sql
from collector.store import Store

NAME = 120
PATHS = ("/explore", "/compare", "/", "/routes", "/feeds", "/errors", "/traces", "/map", "/now")


@dataclass(frozen=True, slots=True)
class Saved:
    """One question somebody keeps; `plain` is what `from_plain` reads."""

    id: str
    saved_at: datetime
    changed_at: datetime
    who: str
    app: str
    name: str
    path: str
    plain: Mapping[str, Any]

    def question(self, apps: Mapping[str, object], watermark: datetime) -> Question:
        """Raises `BadQuestion`: its app may be gone, or a field of an older Farside."""
        return from_plain(self.plain, apps, watermark)


def saved_queries(store: Store, id_: str = "") -> list[Saved]:
    """All of them by name, or the one."""
    rows = store.read(sql("saved_queries"), {"id": id_})
    return [Saved(**{n: v for n, v in row.items() if n != "question"}, plain=_read(row["question"])) for row in rows]


def keep(store: Store, saved: Saved, is_gone: bool = False) -> None:
    """Add the newest state of a saved question. Blocks; raises `StoreAway`."""
    row = {
        "id": saved.id, "changed_at": saved.changed_at, "who": saved.who, "app": saved.app, "name": saved.name,
        "path": saved.path, "question": json.dumps(saved.plain, ensure_ascii=False), "is_gone": is_gone,
    }  # fmt: skip
    store.append("saved_queries", [row])


def plain_of(question: Question) -> dict[str, Any]:
    """What is kept of a question: a range stays one that ends now, a time of its own stays that time."""
    return (question if question.start else replace(question, is_live=True)).to_plain()


def named(text: str) -> str:
    """A name somebody gave; raises `BadQuestion`."""
    name = " ".join(text.split())
    if not 0 < len(name) <= NAME or not name.isprintable():
        raise BadQuestion(f"a name has 1 to {NAME} printable characters, and this has {len(name)}: {name[:40]!r}")
    return name


def _read(text: str) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}
