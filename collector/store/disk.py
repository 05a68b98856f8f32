"""Disk: what the embedded engine does when the disk refuses a write, and how that is put right.

It goes on as if the write had succeeded: an insert or a merge is acknowledged whose files are cut off. That shows at the
next start, when the engine sets the part aside, or we do where it would not notice (chDB 26.9; `parts`, tests/test_disk.py).
But it counts refused writes. Seldom is one refused, for nothing is asked of an engine whose disk is nearly full. A server's
disk is the server's own business.
"""

import logging
import os
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from collector.store import parts
from collector.store.engine import StoreAway

log = logging.getLogger("farside.store")

# Sixteen of the largest segments, and four times what the spool leaves free: the door goes on after the engine stopped.
SPARE_DISK_BYTES = 256 << 20
PROBE_BYTES = 1 << 20
WINDOW = 10_000  # of deduplication, as the schema has it

REFUSED = "SELECT sum(value) FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"
TABLES = """
    SELECT name, toString(uuid) FROM system.tables WHERE database = {home:String} AND engine LIKE '%MergeTree'
    UNION DISTINCT SELECT table, toString(uuid) FROM system.detached_tables WHERE database = {home:String}
"""
# Those that lines end up in: nobody but the loader writes to them.
CHAIN = """
    SELECT name, uuid FROM system.tables WHERE database = {home:String} AND name IN (
        SELECT extract(create_table_query, ' TO `?\\w+`?\\.`?(\\w+)`?')
        FROM system.tables WHERE database = {home:String} AND engine = 'MaterializedView')
"""
PARTS = """
    SELECT table, partition_id, name, min_block_number, max_block_number
    FROM system.parts WHERE database = {home:String} AND active
"""
# Parts as they were inserted, set aside because they cannot be read, with nothing newer in their partition.
LOST = """
    SELECT DISTINCT table FROM system.detached_parts AS lost
    LEFT JOIN (
        SELECT table, partition_id, max(max_block_number) AS newest
        FROM system.parts WHERE database = {home:String} AND active GROUP BY table, partition_id
    ) AS there USING (table, partition_id)
    WHERE lost.database = {home:String} AND reason = 'broken-on-start' AND min_block_number = max_block_number
        AND lost.min_block_number > there.newest
    SETTINGS join_use_nulls = 0
"""

# table → its UUID, and the newest block of each partition.
Blocks = dict[str, tuple[str, dict[str, int]]]


class WritesRefused(StoreAway):
    """The disk refused something the engine wrote: nobody knows what of the last insert is there."""


class _Part(NamedTuple):
    table: str
    partition: str
    name: str
    oldest: int
    newest: int


class Disk:
    """The disk under one embedded engine, seen through the writer's handle."""

    def __init__(self, client: Client, home: str, folder: Path, scratch: Path) -> None:
        """`home` is the database of the tables, `folder` the engine's, `scratch` a place for a file of ours."""
        self._client = client
        self._home = home
        self._folder = folder
        self._scratch = scratch
        self._chain: dict[str, str] = {name: str(own) for name, own in self._rows(CHAIN)}
        self._refused = self._count()
        self._forget_tokens_of_lost()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around an insert: raises `StoreAway` when there is no room for it, `WritesRefused` when some of it was cut off."""
        free = shutil.disk_usage(self._folder).free
        if free < SPARE_DISK_BYTES:
            raise StoreAway(f"only {free >> 20} MiB are free on the disk of {self._folder}; free some, nothing is lost")
        try:
            yield
        finally:
            self.check()

    def check(self) -> None:
        """Raises `WritesRefused` when a write was refused since the last look, after having every table read again."""
        refused = self._count() - self._refused
        if not refused:
            return
        self._prove_there_is_room()
        self._read_tables_again()
        self._forget_tokens_of_lost()
        self._refused += refused
        raise WritesRefused(f"the disk refused {refused} writes of the engine; its tables were read again")

    def newest_blocks(self) -> Blocks:
        """How far the tables of the chain have come."""
        newest: dict[str, dict[str, int]] = defaultdict(dict)
        for part in self._parts():
            partitions = newest[part.table]
            partitions[part.partition] = max(part.newest, partitions.get(part.partition, -1))
        return {table: (own, newest[table]) for table, own in self._chain.items()}

    def undo(self, since: Blocks) -> None:
        """Take out of the chain what came after these blocks, tokens included, so that it can be loaded anew.

        A part that is merged with older ones stays, and so do its table's tokens: the engine merges only what was
        inserted whole.
        """
        self.check()
        self._prove_there_is_room()
        after: dict[str, list[_Part]] = defaultdict(list)
        for part in self._parts():
            own, newest = since.get(part.table, ("", {}))
            if own == self._chain.get(part.table) and part.newest > newest.get(part.partition, -1):
                after[part.table].append(part)
        for table, (own, newest) in since.items():
            if own == self._chain.get(table):
                self._undo(table, after[table], newest)

    def _undo(self, table: str, after: list[_Part], newest: Mapping[str, int]) -> None:
        alone = [part for part in after if part.oldest > newest.get(part.partition, -1)]
        for part in alone:
            log.warning("Taking part %s out of %s: it came with a load that was interrupted", part.name, table)
            self._client.command(f"ALTER TABLE {self._home}.`{table}` DROP PART '{part.name}'")
        if alone == after:
            self._forget_tokens(table)

    def _forget_tokens_of_lost(self) -> None:
        lost = self._rows(LOST)
        if lost:
            self._prove_there_is_room()
        for (table,) in lost:
            log.warning("The engine set a part of %s aside that it could not read; what it held may come again", table)
            self._forget_tokens(table)

    def _forget_tokens(self, table: str) -> None:
        """Of segments that were loaded the name is known anyway; a token counts only while one is being loaded."""
        for window in (0, WINDOW):
            self._client.command(
                f"ALTER TABLE {self._home}.`{table}` MODIFY SETTING non_replicated_deduplication_window = {window}"
            )

    def _read_tables_again(self) -> None:
        """What a start does: parts that are cut off are set aside, and merged ones replaced by what they were made of."""
        log.warning("The disk refused something the engine wrote; reading its tables again")
        for table, own in self._rows(TABLES):
            self._client.command(f"DETACH TABLE IF EXISTS {self._home}.`{table}` SYNC")
            parts.set_aside(self._folder / "store" / own[:3] / own)
            self._client.command(f"ATTACH TABLE IF NOT EXISTS {self._home}.`{table}`")

    def _prove_there_is_room(self) -> None:
        probe = self._scratch / f"probe-{uuid.uuid4().hex}"
        try:
            with probe.open("wb") as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WritesRefused(f"the disk refuses writes: {error}") from error
        finally:
            probe.unlink(missing_ok=True)

    def _parts(self) -> list[_Part]:
        return [part for row in self._rows(PARTS) if (part := _Part(*row)).table in self._chain]

    def _count(self) -> int:
        return int(self._client.query(REFUSED).result_rows[0][0])

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(sql, parameters={"home": self._home}).result_rows]
