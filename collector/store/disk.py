"""Disk: what the embedded engine does when the disk refuses a write, and how that is put right.

It goes on as if the write had succeeded: an insert or a merge is acknowledged whose files are cut off. That shows at the
next start, when the engine sets the part aside, or we do where it would not notice (chDB 26.9; `parts`, tests/test_disk.py).
But it counts refused writes. Seldom is one refused, for nothing is asked of an engine whose disk is nearly full. A server's
disk is the server's own business.
"""

import fcntl
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from collector.store import begun, parts
from collector.store.begun import Blocks
from collector.store.engine import StoreAway

log = logging.getLogger("farside.store")

# Sixteen of the largest segments, and four times what the spool leaves free: the door goes on after the engine stopped.
SPARE_DISK_BYTES = 256 << 20
PROBE_BYTES = 1 << 20

REFUSED = "SELECT sum(value) FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"
TABLES = """
    SELECT name, toString(uuid) FROM system.tables WHERE database = {home:String} AND engine LIKE '%MergeTree'
    UNION DISTINCT SELECT table, toString(uuid) FROM system.detached_tables WHERE database = {home:String}
"""
# Those that lines end up in: nobody but the loader writes to them.
CHAIN = """
    SELECT toString(uuid) FROM system.tables WHERE database = {home:String} AND (name = 'segments' OR name IN (
        SELECT extract(create_table_query, ' TO `?\\w+`?\\.`?(\\w+)`?')
        FROM system.tables WHERE database = {home:String} AND engine = 'MaterializedView'))
"""
NEWEST = """
    SELECT toString(any(t.uuid)), partition_id, max(max_block_number)
    FROM system.parts AS p INNER JOIN system.tables AS t ON t.database = p.database AND t.name = p.table
    WHERE p.database = {home:String} AND active GROUP BY table, partition_id
"""


class WritesRefused(StoreAway):
    """The disk refused something the engine wrote: nobody knows what of the last insert is there."""


def put_right(folder: Path) -> None:
    """Before the engine opens a folder: what the disk cut off is set aside, and a load that was interrupted taken back."""
    if not folder.exists() or _is_open_elsewhere(folder):
        return
    parts.set_aside_in(folder)
    note = begun.read(folder)
    for own, newest in note.blocks.items() if note else []:
        begun.take_back(parts.folder_of(folder, own), newest)


def _is_open_elsewhere(folder: Path) -> bool:
    """Whether a process has the engine's own lock; opening the folder will fail then, and say so."""
    try:
        with (folder / "status").open("rb") as status:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


class Disk:
    """The disk under one embedded engine, seen through the writer's handle."""

    def __init__(self, client: Client, home: str, folder: Path, scratch: Path) -> None:
        """`home` is the database of the tables, `folder` the engine's, `scratch` a place for a file of ours."""
        self._client = client
        self._home = home
        self._folder = folder
        self._scratch = scratch
        self._chain = [str(own) for (own,) in self._rows(CHAIN)]
        self._refused = self._count()
        self._note = begun.read(folder)
        self._is_in_doubt = False  # what an earlier process left was taken back before this one opened the engine

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
        self._read_tables_again()
        self._refused += refused
        raise WritesRefused(f"the disk refused {refused} writes of the engine; its tables were read again")

    def begin(self, segment: str) -> None:
        """Before a load: what the last one left is taken back, unless it was of the same segment and the engine is well.
        Then the segment's token alone tells what is there."""
        self.check()
        note = self._note
        if note and (self._is_in_doubt or note.is_old or note.segment != segment):
            if self._is_in_doubt or self._newest_blocks() != note.blocks:
                self._read_tables_again(note.blocks)
            note = None
        if not note:
            self._note = begun.write(self._folder, segment, self._newest_blocks())
            self._is_in_doubt = False

    def is_loading(self, segment: str) -> bool:
        """Whether a load of it was begun and not finished: what is there of it, its name too, may be taken back."""
        return self._note is not None and self._note.segment == segment

    def finish(self) -> None:
        """After a load, its segment's name remembered. Raises `WritesRefused` when the tables were read again meanwhile."""
        if self._is_in_doubt:
            raise WritesRefused(
                "the disk refused writes of the engine during the load; what came of it is taken back first"
            )
        begun.remove(self._folder)
        self._note = None

    def _newest_blocks(self) -> Blocks:
        """How far the tables of the chain have come."""
        newest: Blocks = {own: {} for own in self._chain}
        for own, partition, block in self._rows(NEWEST):
            if own in newest:
                newest[own][partition] = block
        return newest

    def _read_tables_again(self, blocks: Blocks | None = None) -> None:
        """What a start does: parts that are cut off are set aside, and merged ones replaced by what they were made of; what
        came after these blocks is taken out."""
        self._prove_there_is_room()
        self._is_in_doubt = True
        log.warning("Reading the engine's tables again")
        for table, own in self._rows(TABLES):
            folder = parts.folder_of(self._folder, own)
            self._client.command(f"DETACH TABLE IF EXISTS {self._home}.`{table}` SYNC")
            parts.set_aside(folder)
            if blocks and own in blocks:
                begun.take_back(folder, blocks[own])
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

    def _count(self) -> int:
        return int(self._client.query(REFUSED).result_rows[0][0])

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(sql, parameters={"home": self._home}).result_rows]
