"""Store: a service's own SQLite file.

`open_store()` creates the file and its tables; the connection is traced, one span a statement. Statements run on the
event loop on purpose: they take well under a millisecond, and a second thread would be the only one in the service.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


class Store:
    """Rows come back as plain dicts; every statement is its own transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        # The instrumentation traces cursors, not Connection.execute: it would run unseen.
        cursor = self._connection.cursor()
        cursor.execute(statement, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, statement: str, *values: Any) -> dict[str, Any] | None:
        return next(iter(self.rows(statement, *values)), None)

    def write(self, statement: str, *values: Any) -> None:
        self._connection.cursor().execute(statement, values)

    def fill(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Many rows in one transaction, untraced: the goods are delivered before the shop opens."""
        self._connection.execute("BEGIN")
        self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def open_store(path: Path, tables: str) -> Store:
    """The store in `path`, its `tables` (SQL with CREATE TABLE IF NOT EXISTS) in place."""
    # Autocommit; one thread uses it, but not always the one that opened it. The file lives as long as the demo, so
    # there is nothing to protect from a power cut.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {tables}")
    return Store(connection)
