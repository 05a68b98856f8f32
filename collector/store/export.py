"""Export: rows of one table as a Parquet file, by app and time."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.store import Store
from collector.store.engine import StoreAway
from collector.store.erase import APPS, tables

READ_BYTES = 1 << 20
TIMES = ("received_at", "at", "minute", "Start", "loaded_at", "applied_at")


class Exported(NamedTuple):
    """What was written."""

    rows: int
    size: int


def export(store: Store, table: str, file: Path, *, app: str = "", since: str = "", until: str = "") -> Exported:
    """Write rows into a file, whole or not at all. `since` is included and `until` is not; both as `2026-11-24 12:00:00`
    in UTC. Raises `StoreAway`."""
    with store.handle() as client:
        where, parameters = _where(client, store, table, {"app": app, "since": since, "until": until})
        rows = client.query(f"SELECT count() FROM {table}{where}", parameters=parameters).result_rows[0][0]
        draft = file.with_name(file.name + ".draft")
        try:
            _write(client, f"SELECT * FROM {table}{where}", parameters, draft, is_here=store.is_embedded)
            draft.replace(file)
        except (ClickHouseError, OSError):
            draft.unlink(missing_ok=True)
            raise
    return Exported(rows, file.stat().st_size)


def _write(client: Client, select: str, parameters: dict[str, Any], draft: Path, *, is_here: bool) -> None:
    draft.unlink(missing_ok=True)
    if is_here:  # the embedded engine would otherwise hold all of it in memory
        path = str(draft.resolve()).replace("\\", "\\\\").replace("'", "\\'")
        client.command(f"{select} INTO OUTFILE '{path}' FORMAT Parquet", parameters=parameters)
    else:
        stream: Any = client.raw_stream(select, parameters=parameters, fmt="Parquet")
        with draft.open("wb") as out:
            while chunk := stream.read(READ_BYTES):
                out.write(chunk)
    with draft.open("rb") as written:
        os.fsync(written.fileno())


def _where(client: Client, store: Store, table: str, wanted: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    known = tables(client, store.home) | tables(client, store.database)
    if table not in known:
        raise StoreAway(f"there is no table {table!r}; there are {', '.join(sorted(known))}")
    columns = known[table]
    time = next((column for column in TIMES if column in columns), "")
    whose = next((text for needed, text in APPS if needed <= columns), "")
    if wanted["app"] and not whose:
        raise StoreAway(f"rows of {table} belong to no app; leave --app out")
    if (wanted["since"] or wanted["until"]) and not time:
        raise StoreAway(f"rows of {table} have no time; leave --since and --until out")
    conditions = [
        text
        for name, text in (
            ("app", whose),
            ("since", f"{time} >= parseDateTimeBestEffort({{since:String}}, 'UTC')"),
            ("until", f"{time} < parseDateTimeBestEffort({{until:String}}, 'UTC')"),
        )
        if wanted[name]
    ]
    return (" WHERE " + " AND ".join(conditions) if conditions else ""), dict(wanted)
