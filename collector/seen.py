"""Seen: which beacons of the last 24 hours have come in already, on disk.

The loader claims the ids of a file before it freezes it; an id that came in another file is a repeat.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

# All ids of a file in one statement, 16 bytes each, one after another: a statement for each would give up the interpreter
# and ask for it again thousands of times, and each time the door waits.
IDS = """
    WITH RECURSIVE
    place (at) AS (SELECT 1 WHERE length(:ids) > 0 UNION ALL SELECT at + 16 FROM place WHERE at + 16 < length(:ids)),
    own AS (SELECT substr(:ids, at, 16) AS id FROM place)
"""
CLAIM = f"{IDS} INSERT OR IGNORE INTO seen SELECT id, :file, :at FROM own"
REPEATS = f"{IDS} SELECT id FROM own JOIN seen USING (id) WHERE seen.file != :file"


class Seen:
    """Ids of the lines of the last 24 hours, and the spool file each came in; survives a crash.

    The file's name makes freezing repeatable: a file that is frozen again after a crash finds its own ids here and knows
    them for its own, whatever other files it is frozen with.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS seen (id BLOB PRIMARY KEY, file BLOB, at INTEGER) WITHOUT ROWID")
        self._db.execute("CREATE INDEX IF NOT EXISTS seen_at ON seen (at)")

    @contextmanager
    def claiming(self) -> Iterator["Seen"]:
        """One durable step: what is claimed within it is on disk at its end, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def claim(self, line_ids: Collection[str], file: str, now_ms: int) -> set[str]:
        """Record ids as having come in a file; returns those that had come in another before."""
        keys = {"ids": bytes.fromhex("".join(line_ids)), "file": bytes.fromhex(file), "at": now_ms}
        if self._db.execute(CLAIM, keys).rowcount == len(line_ids):
            return set()
        return {line_id.hex() for (line_id,) in self._db.execute(REPEATS, keys)}

    def release(self, ids: list[str], file: str) -> None:
        """Forget ids that came in a file but went into no segment."""
        name = bytes.fromhex(file)
        with self.claiming():
            self._db.executemany(
                "DELETE FROM seen WHERE id = ? AND file = ?", [(bytes.fromhex(line_id), name) for line_id in ids]
            )

    def forget(self, before_ms: int) -> None:
        """Let go of what is older."""
        self._db.execute("DELETE FROM seen WHERE at < ?", (before_ms,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
