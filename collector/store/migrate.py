"""Migrate: numbered SQL files, applied once, in order, never back.

A file that was applied may not change: its checksum is kept with it. Every statement can be run again without harm
(tests run each file twice), so a crash in the middle needs no repair and two processes that start at once meet at the
same tables; whoever is second finds everything there.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from collector.store.engine import StoreAway, insert_rows

LEDGER = """CREATE TABLE IF NOT EXISTS migrations
(
    version UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY version"""


class Migration(NamedTuple):
    """One file of `collector/schema/`."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """What the store remembers it by."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations in order."""
    folder = resources.files("collector") / "schema"
    files = sorted((f for f in folder.iterdir() if re.match(r"\d{4}_\w+\.sql$", f.name)), key=lambda f: f.name)
    return [Migration(int(f.name[:4]), f.name, f.read_text()) for f in files]


def statements(text: str) -> list[str]:
    """The statements of a migration: they end with a semicolon at the end of a line."""
    parts = (re.sub(r"^--.*\n", "", part, flags=re.MULTILINE).strip() for part in re.split(r";[ ]*(?:\n|$)", text))
    return [part for part in parts if part]


def pending(client: Client, database: str) -> list[Migration]:
    """What this store lacks, also when it does not exist yet. Raises `StoreAway` when another release made it."""
    there = client.query(
        "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migrations'",
        parameters={"database": database},
    ).result_rows[0][0]
    if not there:
        return migrations()
    rows = client.query(f"SELECT version, checksum FROM {database}.migrations").named_results()
    applied = {row["version"]: row["checksum"] for row in rows}
    known = migrations()
    if unknown := set(applied) - {migration.version for migration in known}:
        raise StoreAway(f"this store was made by a newer Farside (migrations {sorted(unknown)}); upgrade this one")
    for migration in known:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise StoreAway(
                f"migration {migration.name} differs from the one this store was made with; use its release"
            )
    return [migration for migration in known if migration.version not in applied]


def bring_up(
    client: Client, database: str, databases: Iterable[str], render: Callable[[str], Iterator[str]]
) -> list[Migration]:
    """Run what is pending, each statement as `render` gives it, and write down that it was.

    With nothing pending nothing is run: a cluster with a node down could not answer, and a collector has to start.
    """
    found = pending(client, database)
    if found:
        for statement in databases:
            client.command(statement)
        client.database = database
        for statement in render(LEDGER):
            client.command(statement)
    for migration in found:
        for statement in statements(migration.text):
            for rendered in render(statement):
                client.command(rendered)
        row = {"version": migration.version, "name": migration.name, "checksum": migration.checksum}
        insert_rows(client, f"{database}.migrations", [row], {})
    return found
