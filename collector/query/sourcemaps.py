"""Source maps that were uploaded: which there are for a release, and the text of one."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import sql
from collector.store import Store


@dataclass(frozen=True, slots=True)
class Upload:
    """One file's newest map in a release."""

    file: str
    uploaded_at: datetime
    who: str
    bytes: int
    sources: int
    mappings: int


def source_maps(store: Store, app: str, release: str) -> list[Upload]:
    """What was uploaded for a release."""
    return [Upload(**row) for row in store.read(sql("source_maps"), {"app": app, "release": release})]


def source_map(store: Store, app: str, release: str, file: str) -> bytes:
    """The newest map of a file; empty when there is none."""
    rows = store.read(sql("source_map"), {"app": app, "release": release, "file": file})
    return rows[0]["map"].encode() if rows else b""
