"""Move: copy an installation from one store into another, embedded to server or back, and count that all of it came.

Rows of one partition go into a twin of their table first, where no view sees them, and take their place in one step. So
whatever interrupts the move, a partition is there as a whole or not at all, and the same command goes on where it stopped.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from collector.store import Store
from collector.store.engine import StoreAway

STAGING = "moving_"
OWN = {"migrations"}  # made by the other store for itself
READ_BYTES = 1 << 20


class _Part(NamedTuple):
    table: str
    partition: str
    rows: int


def move(source: Store, target: Store, say: Callable[[str], None]) -> int:
    """Copy everything; returns the rows copied. Both are open. Raises `StoreAway`, and can be asked again."""
    if source.is_embedded and target.is_embedded:
        raise StoreAway("both are embedded; copy the folder while nobody has it open")
    if source.cluster or target.cluster:
        raise StoreAway("a cluster can be moved neither from nor to; ClickHouse's own BACKUP and RESTORE do that")
    with ExitStack() as stack:
        old, new = (stack.enter_context(store.handle()) for store in (source, target))
        parts = list(_partitions(old, source.home))
        there = {(part.table, part.partition): part.rows for part in _partitions(new, target.home)}
        _check_nobody_lives_there(new, target.home, there)
        total, done = sum(part.rows for part in parts), 0
        for part in parts:
            if there.get((part.table, part.partition)) != part.rows:
                _copy(old, new, part, source.home, target.home)
            done += part.rows
            say(f"{done:>14,} of {total:,} rows   {part.table} {part.partition}")
        missing = [
            f"{part.table} {part.partition}: {part.rows - found:,} rows"
            for part in parts
            if (found := _rows(new, target.home, part)) != part.rows
        ]
        if missing:
            raise StoreAway(f"not everything came: {'; '.join(missing)}. Is something still writing to either store?")
        for table in {part.table for part in parts}:
            new.command(f"DROP TABLE IF EXISTS {target.home}.{STAGING}{table} SYNC")
    return total


def _check_nobody_lives_there(new: Client, home: str, there: dict[tuple[str, str], int]) -> None:
    """Rows may be there already if it was us who brought them: then a twin is, too. Put one there before the first."""
    begun = new.query(
        "SELECT count() FROM system.tables WHERE database = {home:String} AND startsWith(name, {staging:String})",
        parameters={"home": home, "staging": STAGING},
    ).result_rows[0][0]
    if not begun and there:
        raise StoreAway(
            f"{home} there holds rows of its own ({', '.join(sorted({table for table, _ in there}))}); move into an empty"
            " database"
        )
    new.command(f"CREATE TABLE IF NOT EXISTS {home}.{STAGING}events AS {home}.events")


def _copy(old: Client, new: Client, part: _Part, old_home: str, new_home: str) -> None:
    twin = f"{new_home}.{STAGING}{part.table}"
    columns = [
        row[0]
        for row in old.query(
            "SELECT name FROM system.columns WHERE database = {home:String} AND table = {table:String}"
            " AND default_kind IN ('', 'DEFAULT') ORDER BY position",
            parameters={"home": old_home, "table": part.table},
        ).result_rows
    ]
    new.command(f"CREATE TABLE IF NOT EXISTS {twin} AS {new_home}.{part.table}")
    new.command(f"TRUNCATE TABLE {twin}")
    names = ", ".join(f"`{column}`" for column in columns)
    rows: Any = old.raw_stream(
        f"SELECT {names} FROM {old_home}.{part.table}{_final(old, old_home, part.table)}"
        " WHERE _partition_id = {partition:String}",
        parameters={"partition": part.partition},
        fmt="Native",
    )
    try:
        # Equal blocks are two blocks here.
        new.raw_insert(twin, columns, _chunks(rows), fmt="Native", settings={"insert_deduplicate": 0})
    finally:
        rows.close()
    new.command(f"ALTER TABLE {new_home}.{part.table} REPLACE PARTITION ID '{part.partition}' FROM {twin}")
    new.command(f"TRUNCATE TABLE {twin}")


def _chunks(rows: Any) -> Generator[bytes, None, None]:
    while chunk := rows.read(READ_BYTES):
        yield chunk


def _partitions(client: Client, home: str) -> Iterator[_Part]:
    """Every partition of every table that keeps rows, the small tables first, and how many rows an answer sees of it."""
    found = client.query(
        "SELECT table, partition_id FROM system.parts WHERE active AND database = {home:String} AND rows > 0"
        " GROUP BY table, partition_id ORDER BY sum(sum(rows)) OVER (PARTITION BY table), table, partition_id",
        parameters={"home": home},
    ).result_rows
    for table, partition in found:
        if table not in OWN and not table.startswith(STAGING):
            part = _Part(table, partition, 0)
            if rows := _rows(client, home, part):
                yield part._replace(rows=rows)


def _rows(client: Client, home: str, part: _Part) -> int:
    return int(
        client.query(
            f"SELECT count() FROM {home}.{part.table}{_final(client, home, part.table)}"
            " WHERE _partition_id = {partition:String}",
            parameters={"partition": part.partition},
        ).result_rows[0][0]
    )


def _final(client: Client, home: str, table: str) -> str:
    """Tables that merge equal rows are counted and copied as merged, or a merge in between would look like a loss."""
    engine = client.query(
        "SELECT engine FROM system.tables WHERE database = {home:String} AND name = {table:String}",
        parameters={"home": home, "table": table},
    ).result_rows[0][0]
    return "" if engine == "MergeTree" else " FINAL"
