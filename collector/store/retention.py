"""Retention: how long rows are kept, by table and, shorter, by app.

The limit of a table is its TTL, which drops whole parts; it follows the settings, not the migration that made the table.
What is shorter for one app is deleted at night in days that are over, from tables that know whose a row is.
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from clickhouse_connect.driver.client import Client

from collector.store.erase import APPS, tables

# Which setting holds for a table, and what its age is counted from. Any other table that has a TTL and `received_at`
# goes with the events; what has a TTL and no `received_at` keeps the one of its migration.
LIMITS = {
    "otel_traces": ("span_retention_days", "toDateTime(received_at)"),
    "otel_traces_trace_id_ts": ("span_retention_days", "toDateTime(Start)"),
    "outcomes": ("ledger_retention_days", "minute"),
}
OTHERS = ("retention_days", "toDateTime(received_at)")
SETTINGS = ("retention_days", "span_retention_days", "ledger_retention_days")

Days = Mapping[str, int]
"""Days by the name of the setting; 0 is for ever."""

_TTL = re.compile(r" TTL (.+?) \+ toIntervalDay\((\d+)\)(?= SETTINGS|$)")


def limits(client: Client, home: str) -> Iterator[tuple[str, str, str, int]]:
    """Tables whose rows grow old: name, setting, what age is counted from, and days in force."""
    rows = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = {home:String} AND engine LIKE '%MergeTree'",
        parameters={"home": home},
    ).result_rows
    for name, query in rows:
        ttl = _TTL.search(query)
        setting, counted_from = LIMITS.get(name, OTHERS)
        # One that was set to keep for ever has no TTL any more, and is recognised by its day for a partition.
        if name in LIMITS or ("PARTITION BY toDate(received_at)" in query):
            yield name, setting, counted_from, int(ttl[2]) if ttl else 0


def keep(client: Client, home: str, days: Days, on_cluster: str = "") -> list[str]:
    """Make the tables' TTLs what the settings say; returns what was changed. Rows that are too old go in the background."""
    changed = []
    for table, setting, counted_from, in_force in list(limits(client, home)):
        wanted = days[setting]
        if wanted == in_force:
            continue
        if wanted:
            # Parts know when they expire from when they were written: that alone is calculated anew.
            client.command(
                f"ALTER TABLE {home}.{table}{on_cluster} MODIFY SETTING materialize_ttl_recalculate_only = 1"
            )
            change = f"MODIFY TTL {counted_from} + toIntervalDay({wanted})"
        else:
            change = "REMOVE TTL"
        client.command(f"ALTER TABLE {home}.{table}{on_cluster} {change}")
        changed.append(f"{table}: {in_force or 'for ever'} → {wanted or 'for ever'} days")
    return changed


def expire(client: Client, home: str, days: Days, today: date, on_cluster: str = "") -> dict[str, int]:
    """Drop days (of the ledger, months) that are past their limit altogether; rows dropped, by table."""
    dropped: dict[str, int] = {}
    for table, setting, _, _ in limits(client, home):
        if not days.get(setting):
            continue
        rows = client.query(
            "SELECT partition, sum(rows) FROM system.parts WHERE active AND database = {home:String}"
            " AND table = {table:String} GROUP BY partition",
            parameters={"home": home, "table": table},
        ).result_rows
        for partition, n in rows:
            if _last_day(partition) + timedelta(days=days[setting]) < today:
                literal = f"'{partition}'" if "-" in partition else partition
                client.command(f"ALTER TABLE {home}.{table}{on_cluster} DROP PARTITION {literal}")
                dropped[table] = dropped.get(table, 0) + n
    return dropped


def expire_app(client: Client, home: str, app: str, days: int, today: date, on_cluster: str = "") -> dict[str, int]:
    """Delete one app's rows of days that are over and past its own limit; rows deleted, by table."""
    deleted: dict[str, int] = {}
    until = datetime.combine(today - timedelta(days=days), datetime.min.time(), UTC)
    for table, columns in tables(client, home).items():
        whose = next((text for needed, text in APPS if needed <= columns), "")
        if not whose or "received_at" not in columns:
            continue
        where = f"{whose} AND received_at < {{until:DateTime64(3, 'UTC')}}"
        parameters = {"app": app, "until": until}
        n = client.query(f"SELECT count() FROM {table} WHERE {where}", parameters=parameters).result_rows[0][0]
        if n:
            client.command(
                f"DELETE FROM {home}.{table}{on_cluster} WHERE {where}",
                parameters=parameters,
                settings={"lightweight_deletes_sync": 1},
            )
            deleted[table] = n
    return deleted


def _last_day(partition: str) -> date:
    """The last day in a partition, by its name: 2026-11-24, or 202611."""
    if "-" in partition:
        return date.fromisoformat(partition)
    year, month = int(partition[:4]), int(partition[4:6])
    return date(year, month, calendar.monthrange(year, month)[1])
