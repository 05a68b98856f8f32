"""Cluster: the same migrations, rendered for ClickHouse servers that shard and replicate.

What a line flows through (`lines`, whatever a view writes to) is sharded: it lives in a database of its own, `…_shard`, as
`Replicated*MergeTree` on every node of a shard, and under its plain name there is a `Distributed` table over all shards.
Everything else is small and replicated to every node. docs/decisions.md tells why, and what it costs.
"""

import re
from collections.abc import Iterable, Iterator

from collector.store.migrate import LEDGER, Migration, statements

# Where a row goes, by a hash of what is in the row: the same bytes reach the same shards at every retry. A beacon goes with
# its session, everything else by the line's own id. Rows are never looked for by these keys: shards may be added later.
KEYS = {
    "lines": "sipHash64(if(session_id = '', line_id, session_id))",
    "events": "sipHash64(session_id)",
}
ANYWHERE = "rand()"
SHARDED = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
EVERYWHERE = "'/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}'"
WINDOW_S = 31_536_000

INSERT_SETTINGS = {
    "distributed_foreground_insert": 1,  # an insert that returned is on the shards, not in a queue on one disk
    "insert_quorum": "auto",  # and on most replicas of them; a lost replica takes nothing that was acknowledged with it
    "insert_quorum_parallel": 1,
}
READ_SETTINGS = {"distributed_product_mode": "global", "skip_unavailable_shards": 0}

_NAME = r"`?(\w+)`?"
_CREATE_TABLE = re.compile(rf"CREATE TABLE IF NOT EXISTS {_NAME}\s*\(", re.IGNORECASE)
_CREATE_VIEW = re.compile(rf"CREATE MATERIALIZED VIEW IF NOT EXISTS {_NAME} TO {_NAME}\s", re.IGNORECASE)
_ALTER = re.compile(rf"ALTER TABLE {_NAME}\s", re.IGNORECASE)
_DROP = re.compile(rf"DROP (TABLE|VIEW) IF EXISTS {_NAME}\s*\Z", re.IGNORECASE)
_INSERT = re.compile(rf"INSERT INTO {_NAME}\s", re.IGNORECASE)
_ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)(?:\((.*)\))?$", re.MULTILINE)


class CannotRender(ValueError):  # noqa: N818
    """A statement that this module does not know how to spread over a cluster."""


class Cluster:
    """The rendering for one cluster and one database."""

    def __init__(self, name: str, database: str, files: Iterable[Migration]) -> None:
        self.name = name
        self.database = database
        self.shard_database = f"{database}_shard"
        texts = [statement for file in files for statement in statements(file.text)]
        self._sharded = {found[1] for text in texts if (found := _CREATE_TABLE.match(text)) and "ENGINE = Null" in text}
        self._sharded |= {found[2] for text in texts if (found := _CREATE_VIEW.match(text))}
        self._tables = {found[1] for text in [LEDGER, *texts] if (found := _CREATE_TABLE.match(text))}
        self._views = {found[1] for text in texts if (found := _CREATE_VIEW.match(text))}

    @property
    def on_cluster(self) -> str:
        """What makes a statement one for every node."""
        return f" ON CLUSTER `{self.name}`"

    def databases(self) -> list[str]:
        """The statements that come before all others."""
        return [
            f"CREATE DATABASE IF NOT EXISTS {name}{self.on_cluster}" for name in (self.database, self.shard_database)
        ]

    def render(self, statement: str) -> Iterator[str]:
        """One statement of a migration → those to run for it, in order."""
        if found := _CREATE_TABLE.match(statement):
            yield self._create(found, statement)
            if found[1] in self._sharded:
                yield self._front(found[1], "CREATE TABLE IF NOT EXISTS")
        elif found := _CREATE_VIEW.match(statement):
            rest = self._qualified(statement[found.end() :], self.shard_database)
            yield (
                f"CREATE MATERIALIZED VIEW IF NOT EXISTS {self.shard_database}.{found[1]}{self.on_cluster}"
                f" TO {self.shard_database}.{found[2]} {rest}"
            )
        elif found := _ALTER.match(statement):
            yield f"ALTER TABLE {self._home(found[1])}.{found[1]}{self.on_cluster} {statement[found.end() :]}"
            if found[1] in self._sharded:
                yield self._front(found[1], "CREATE OR REPLACE TABLE")
        elif found := _DROP.match(statement):
            yield f"DROP {found[1]} IF EXISTS {self._home(found[2])}.{found[2]}{self.on_cluster} SYNC"
            if found[2] in self._sharded:
                yield f"DROP TABLE IF EXISTS {self.database}.{found[2]}{self.on_cluster} SYNC"
        elif found := _INSERT.match(statement):
            yield f"INSERT INTO {self.database}.{found[1]} {self._qualified(statement[found.end() :], self.database)}"
        else:
            raise CannotRender(f"no way to spread this over a cluster: {statement[:120]}")

    def _create(self, found: re.Match[str], statement: str) -> str:
        paths = SHARDED if found[1] in self._sharded else EVERYWHERE
        rest = _ENGINE.sub(
            lambda engine: f"ENGINE = Replicated{engine[1]}({', '.join(filter(None, [paths, engine[2]]))})",
            statement[found.end() :],
        )
        rest = re.sub(
            r"\bnon_replicated_deduplication_window = (\d+)",
            rf"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = {WINDOW_S}",
            rest,
        )
        return f"CREATE TABLE IF NOT EXISTS {self._home(found[1])}.{found[1]}{self.on_cluster}\n({rest}"

    def _front(self, table: str, create: str) -> str:
        return (
            f"{create} {self.database}.{table}{self.on_cluster} AS {self.shard_database}.{table}\n"
            f"ENGINE = Distributed('{self.name}', '{self.shard_database}', '{table}', {KEYS.get(table, ANYWHERE)})"
        )

    def _home(self, table: str) -> str:
        return self.shard_database if table in self._sharded | self._views else self.database

    def _qualified(self, text: str, database: str) -> str:
        """Names of our tables after FROM and JOIN, said in full."""
        names = "|".join(map(re.escape, sorted(self._tables, key=len, reverse=True)))
        return re.sub(
            rf"(?<!ARRAY )\b(FROM|JOIN)\s+`?({names})`?\b(?!\.)", rf"\1 {database}.\2", text, flags=re.IGNORECASE
        )

    def script(self, files: Iterable[Migration]) -> str:
        """Everything as one text, as `farside migrate --dry-run --cluster` prints it."""
        found = [*self.databases(), *self.render(LEDGER)]
        for file in files:
            found.append(f"-- {file.name}")
            found += [rendered for statement in statements(file.text) for rendered in self.render(statement)]
        return "\n\n".join(text if text.startswith("--") else f"{text};" for text in found) + "\n"
