"""Proof: a twin of every table in a database where every engine is `Null`, so that a line can be tried without a trace.

Made from `system.tables`, so that a new table cannot be forgotten, and named after what it was made from, so that several
processes share one and it is made anew only when the tables have changed.
"""

import hashlib
import re
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from collector.store.engine import NO_TABLE, QueryFailed, StoreAway

TRIES = 5
CREATE_VIEW = r"^(CREATE MATERIALIZED VIEW) (\S+)"
GONE_OR_THERE = NO_TABLE | {57, 82}  # table or database exists already


class _Table(NamedTuple):
    name: str
    engine: str
    query: str


def build(client: Client, database: str, proof: str, on_cluster: str = "") -> None:
    """Have the twin of `database` under the name `proof`; several processes may do so at once."""
    for _ in range(TRIES):
        try:
            if _build_once(client, database, proof, on_cluster):
                return
        except QueryFailed as error:
            if error.code not in GONE_OR_THERE:
                raise
    raise StoreAway(f"other processes keep rebuilding {proof}; do they all run the same release?")


def _build_once(client: Client, database: str, proof: str, on_cluster: str) -> bool:
    tables = _tables(client, database)
    print_ = hashlib.sha256("\n".join(sorted(table.query for table in tables)).encode()).hexdigest()[:16]
    made_of = _comment(client, proof)
    if made_of != print_:
        if made_of is not None:
            client.command(f"DROP DATABASE IF EXISTS {proof}{on_cluster} SYNC")
        client.command(f"CREATE DATABASE IF NOT EXISTS {proof}{on_cluster} COMMENT '{print_}'")
    elif {table.name for table in _tables(client, proof)} == {table.name for table in tables}:
        return True
    for statement in _twins(tables, database, proof, on_cluster):
        client.command(statement)
    return _comment(client, proof) == print_


def _twins(tables: list[_Table], database: str, proof: str, on_cluster: str) -> list[str]:
    names = "|".join(re.escape(table.name) for table in tables)
    plain = [table for table in tables if table.engine != "MaterializedView"]
    made = [
        f"CREATE TABLE IF NOT EXISTS {proof}.`{table.name}`{on_cluster} AS {database}.`{table.name}` ENGINE = Null"
        for table in plain
    ]
    for table in tables:
        if table.engine == "MaterializedView":
            query = re.sub(rf"\b{database}\.(`?(?:{names})`?)(?=[\s(]|$)", rf"{proof}.\1", table.query)
            made.append(re.sub(CREATE_VIEW, rf"\1 IF NOT EXISTS \2{on_cluster}", query))
    return made


def _tables(client: Client, database: str) -> list[_Table]:
    rows = client.query(
        "SELECT name, engine, create_table_query FROM system.tables WHERE database = {database:String} ORDER BY name",
        parameters={"database": database},
    ).result_rows
    return [_Table(*row) for row in rows]


def _comment(client: Client, database: str) -> str | None:
    """What a database says of itself, None when there is none of this name."""
    rows = client.query(
        "SELECT comment FROM system.databases WHERE name = {database:String}", parameters={"database": database}
    ).result_rows
    return str(rows[0][0]) if rows else None
