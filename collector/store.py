"""Store: the sole way to ClickHouse, embedded (chDB) or served; nobody else imports clickhouse_connect.

Takes a segment's bytes under a token that makes a second insert a no-op, and answers questions on handles of their own,
so that no reader holds up the loader. There is no storage abstraction here: clickhouse-connect is one.
"""

import hashlib
import queue
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

DATABASE = "farside"
PROOF = "farside_proof"
READERS = 4

# Pinned, because the same bytes cut into other blocks have other deduplication ids: a segment is one block, always.
INSERT_SETTINGS = {
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "insert_deduplicate": 1,
    "input_format_parallel_parsing": 0,
    "input_format_skip_unknown_fields": 0,
    "input_format_json_named_tuples_as_objects": 1,
    "input_format_json_defaults_for_missing_elements_in_named_tuple": 1,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 0,
    "max_insert_block_size": 1_048_576,
    "min_insert_block_size_rows": 0,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 1,
    "materialized_views_ignore_errors": 0,
}
READ_SETTINGS = {"max_execution_time": 10, "max_result_rows": 200_000, "max_memory_usage": 4_000_000_000}


# Codes of the engine that say nothing about the lines it was given: no table, no room, no memory, no time, no thread.
# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
NO_TABLE = {60, 81}
NOT_THE_LINES = NO_TABLE | {159, 160, 202, 209, 210, 236, 241, 243, 394, 439, 473}


class StoreAway(Exception):  # noqa: N818
    """The store did not answer; the sentence says what it said. Transient until shown otherwise."""


class QueryFailed(StoreAway):
    """The store answered, and refused this one: a mistake in the question, or a limit of time, rows or memory."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class Store:
    """Handles on one ClickHouse: one for the loader, a few for readers."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.url = url
        self._scratch = scratch
        self._writing = threading.Lock()
        self._writer: Client | None = None
        self._readers: queue.SimpleQueue[Client | None] = queue.SimpleQueue()
        for _ in range(READERS):
            self._readers.put(None)

    def open(self) -> None:
        """Connect, and make the database and its tables what this version expects."""
        if self.is_embedded:
            # clickhouse-connect hands chDB its inserts as temporary files, and a kill leaves the current one behind.
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir(parents=True)
            tempfile.tempdir = str(self._scratch)
        with self._writing, _reported():
            self._writer = self._connect("default", {})
            self._writer.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
            self._writer.database = DATABASE
            self._migrate(self._writer)
            self._build_proof(self._writer)

    def close(self) -> None:
        """Let go of every handle."""
        with self._writing:
            if self._writer:
                self._writer.close()
                self._writer = None
        for _ in range(READERS):
            reader = self._readers.get(timeout=15)
            if reader:
                reader.close()

    @property
    def is_embedded(self) -> bool:
        """Whether the engine lives in this process."""
        return self.url.startswith("chdb:")

    def insert(self, lines: bytes, token: str, **settings: object) -> None:
        """Expand spooled lines into every table, once for this token. `settings` override the pinned ones (tests)."""
        with self._writing, _reported():
            self._ready().raw_insert(
                "lines",
                insert_block=lines,
                fmt="JSONEachRow",
                settings=INSERT_SETTINGS | {"insert_deduplication_token": token} | settings,
            )

    def prove(self, lines: bytes) -> str:
        """Run lines through a twin of the tables that keeps nothing: empty when they pass, else what failed."""
        with self._writing:
            try:
                with _reported():
                    self._ready().raw_insert(
                        f"{PROOF}.lines", insert_block=lines, fmt="JSONEachRow", settings=INSERT_SETTINGS
                    )
            except QueryFailed as error:
                if error.code in NO_TABLE:  # somebody else has just rebuilt the twin, or dropped it
                    with _reported():
                        self._build_proof(self._ready())
                if error.code in NOT_THE_LINES:
                    raise
                return str(error)
        return ""

    def knows_segment(self, name: str) -> bool:
        """Whether a segment of this name was loaded, however long ago."""
        with self._writing, _reported():
            found = self._ready().query(
                "SELECT count() FROM segments WHERE name = {name:String}", parameters={"name": name}
            )
        return bool(found.result_rows[0][0])

    def remember_segment(self, name: str, lines: int, first_ms: int, last_ms: int) -> None:
        """Keep a loaded segment's name, with its number of lines and first and last received_at."""
        row = [name, lines, datetime.fromtimestamp(first_ms / 1000, UTC), datetime.fromtimestamp(last_ms / 1000, UTC)]
        with self._writing, _reported():
            self._ready().insert(
                "segments",
                [row],
                column_names=["name", "lines", "first_received_at", "last_received_at"],
                settings={"insert_deduplication_token": name},
            )

    def read(self, sql: str, parameters: dict[str, Any] | None = None, **settings: object) -> list[dict[str, Any]]:
        """Answer one question: rows as dicts, times as aware UTC datetimes. Blocks; raises `StoreAway`."""
        with self._reader() as reader:
            result = reader.query(sql, parameters=parameters or {}, settings=READ_SETTINGS | settings)
            return list(result.named_results())

    def _ready(self) -> Client:
        if self._writer is None:
            raise StoreAway("the store is not open")
        return self._writer

    @contextmanager
    def _reader(self) -> Iterator[Client]:
        try:
            reader = self._readers.get(timeout=READ_SETTINGS["max_execution_time"])
        except queue.Empty:
            raise StoreAway("every reader is busy; try again in a moment") from None
        try:
            with _reported():
                reader = reader or self._connect(DATABASE, {})
                yield reader
        finally:
            self._readers.put(reader)

    def _connect(self, database: str, settings: dict[str, Any]) -> Client:
        if self.is_embedded:
            path = self.url.removeprefix("chdb://")
            Path(path).mkdir(parents=True, exist_ok=True)
            return clickhouse_connect.get_client(
                interface="chdb", path=path, database=database, settings=settings, tz_mode="aware"
            )
        return clickhouse_connect.get_client(dsn=self.url, database=database, settings=settings, tz_mode="aware")

    def _migrate(self, client: Client) -> None:
        client.command(
            "CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, checksum String,"
            " applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY version"
        )
        found = client.query("SELECT version, checksum FROM migrations").named_results()
        applied = {row["version"]: row["checksum"] for row in found}
        for version, name, text in migrations():
            checksum = hashlib.sha256(text.encode()).hexdigest()
            if version in applied:
                if applied[version] != checksum:
                    raise StoreAway(f"migration {name} differs from the one this store was made with; use its release")
                continue
            for statement in statements(text):
                client.command(statement)
            client.insert("migrations", [[version, name, checksum]], column_names=["version", "name", "checksum"])
        if unknown := set(applied) - {version for version, _, _ in migrations()}:
            raise StoreAway(f"this store was made by a newer Farside (migrations {sorted(unknown)}); upgrade this one")

    def _build_proof(self, client: Client) -> None:
        """Twins of all tables, in a database where every engine is Null, so that a new table cannot be forgotten."""
        client.command(f"DROP DATABASE IF EXISTS {PROOF}")
        client.command(f"CREATE DATABASE {PROOF}")
        found = client.query(
            "SELECT name, engine, create_table_query FROM system.tables WHERE database = {database:String}",
            parameters={"database": DATABASE},
        ).result_rows
        names = "|".join(re.escape(name) for name, _, _ in found)
        for name, engine, _ in found:
            if engine != "MaterializedView":
                client.command(f"CREATE TABLE {PROOF}.`{name}` AS {DATABASE}.`{name}` ENGINE = Null")
        for _, engine, query in found:
            if engine == "MaterializedView":
                client.command(re.sub(rf"\b{DATABASE}\.(`?(?:{names})`?)(?=[\s(]|$)", rf"{PROOF}.\1", query))


def migrations() -> list[tuple[int, str, str]]:
    """All migrations in order: (version, file name, text)."""
    folder = resources.files("collector") / "schema"
    files = sorted((f for f in folder.iterdir() if re.match(r"\d{4}_\w+\.sql$", f.name)), key=lambda f: f.name)
    return [(int(f.name[:4]), f.name, f.read_text()) for f in files]


def statements(text: str) -> list[str]:
    """The statements of a migration: they end with a semicolon at the end of a line."""
    parts = (re.sub(r"^--.*\n", "", part, flags=re.MULTILINE).strip() for part in re.split(r";[ ]*(?:\n|$)", text))
    return [part for part in parts if part]


@contextmanager
def _reported() -> Iterator[None]:
    """Turn what the driver raises into one sentence of ours."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        sentence = " ".join(str(error).split())[:1_000]
        code = re.search(r"Code: (\d+)", sentence) if isinstance(error, DatabaseError) else None
        raise (QueryFailed(sentence, int(code[1])) if code else StoreAway(sentence)) from error
