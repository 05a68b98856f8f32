"""Tables: what can be asked by hand: each table's columns and their types."""

from collector.query.question import sql
from collector.store import Store
from collector.store.freely import TABLES


def readable(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Columns (name, type) by table, those asked most first."""
    rows = store.read(sql("readable_columns"), {"tables": sorted(TABLES)})
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in ("events", "otel_traces", "outcomes")}
    for row in rows:
        found.setdefault(row["table"], []).append((row["name"], _plain(row["type"])))
    return {table: columns for table, columns in found.items() if columns}


def _plain(kind: str) -> str:
    """A type without how it is stored: `LowCardinality(String)` reads and compares as `String`."""
    return kind.replace("LowCardinality(String)", "String")
