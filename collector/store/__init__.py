"""Store: the sole way to ClickHouse, embedded (chDB) or served; nobody else imports clickhouse_connect.

Takes a segment's bytes under a token that makes a second insert a no-op, and answers questions on handles of their own,
so that no reader holds up the loader. There is no storage abstraction here: clickhouse-connect is one.
"""

import logging
import queue
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from collector.settings import BadSettings, Settings
from collector.store import cluster as clusters
from collector.store import erase as erasing
from collector.store import migrate, proof, retention, spans
from collector.store.address import DATABASE, Address, BadAddress, parse
from collector.store.cluster import Cluster
from collector.store.disk import Disk, WritesRefused, put_right
from collector.store.engine import (
    NO_TABLE,
    NOT_THE_LINES,
    WITHDRAWN,
    QueryFailed,
    StoreAway,
    connect,
    insert_rows,
    reported,
)
from collector.store.erase import Erased, Person
from collector.store.freely import Forbidden, Freely
from collector.store.migrate import Migration
from collector.store.retention import Days
from collector.ticket import TICKET, Ticket

__all__ = [
    "WITHDRAWN", "BadAddress", "Forbidden", "QueryFailed", "Store", "StoreAway", "WritesRefused", "plan",
]  # fmt: skip

log = logging.getLogger("farside.store")

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
READ_SETTINGS = {
    "max_execution_time": 10,
    "max_result_rows": 200_000,
    "max_memory_usage": 4_000_000_000,
    # To compile a query that comes for the third time makes that reader wait a quarter of a second, and later ones a
    # twentieth less.
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}


def plan(settings: Settings) -> str:
    """The SQL that would bring a store up to date. Of a cluster without a server to ask, all of it."""
    if settings.cluster and not settings.store:
        files = migrate.migrations()
        return Cluster(settings.cluster, DATABASE, files).script(files)
    store = Store.of(settings)
    files = store.pending()
    if not files:
        return "-- nothing: the tables are what this version expects\n"
    if store.cluster:
        return store.cluster.script(files)
    return "\n".join(f"-- {file.name}\n{file.text}" for file in files)


class Store:
    """Handles on one ClickHouse: one for the loader, a few for readers."""

    def __init__(
        self, url: str, scratch: Path, *, password: str = "", cluster: str = "", days: Days | None = None,
        traces_table: str = "",
    ) -> None:  # fmt: skip
        """`url` as in the settings; `cluster` is the name servers know theirs by; `days` how long to keep what. Raises
        `BadAddress`."""
        self.address: Address = parse(url, password)
        if cluster and self.address.is_embedded:
            raise BadAddress("a cluster needs servers: name one of them as clickhouse://…, chDB is one process")
        self.database = self.address.database
        self.cluster = Cluster(cluster, self.database, migrate.migrations()) if cluster else None
        self._days = days
        self.traces_table = spans.checked(traces_table)
        self._scratch = scratch
        self._writing = threading.Lock()
        self._writer: Client | None = None
        self._disk: Disk | None = None
        self._readers: queue.SimpleQueue[Client | None] = queue.SimpleQueue()
        for _ in range(READERS):
            self._readers.put(None)
        self._killing = threading.Lock()
        self._killer: Client | None = None
        self._freely = Freely(self.address, self.database)

    @classmethod
    def of(cls, settings: Settings) -> "Store":
        """The store the settings name. Raises `BadSettings`."""
        try:
            return cls(
                settings.store_url, settings.data / "tmp", password=settings.store_secret, cluster=settings.cluster,
                days={name: getattr(settings, name) for name in retention.SETTINGS},
                traces_table=settings.traces_table,
            )  # fmt: skip
        except BadAddress as error:
            raise BadSettings(f"{settings.sources.get('store', 'default')}: {error}") from None

    def open(self) -> None:
        """Connect, and make the database and its tables what this version expects."""
        if self.is_embedded:
            # clickhouse-connect hands chDB its inserts as temporary files, and a kill leaves the current one behind.
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir(parents=True)
            tempfile.tempdir = str(self._scratch)
            put_right(Path(self.address.folder))
        with self._writing, self._reported():
            self._writer = connect(self.address, "default")
            migrate.bring_up(self._writer, self.database, self._databases(), self._render)
            self._writer.database = self.database
            if self._days:
                for change in retention.keep(self._writer, self.home, self._days, self._on_cluster):
                    log.info("Retention of %s", change)
            if self.is_embedded:
                self._disk = Disk(self._writer, self.home, Path(self.address.folder), self._scratch)
            self._build_proof(self._writer)

    def close(self) -> None:
        """Let go of every handle."""
        with self._writing:
            if self._writer:
                self._writer.close()
                self._writer = None
        self._freely.close()
        with self._killing:
            if self._killer:
                self._killer.close()
                self._killer = None
        for _ in range(READERS):
            reader = self._readers.get(timeout=15)
            if reader:
                reader.close()
        for _ in range(READERS):
            self._readers.put(None)

    @property
    def is_embedded(self) -> bool:
        """Whether the engine lives in this process."""
        return self.address.is_embedded

    def pending(self) -> list[Migration]:
        """What `open` would run to bring the tables up to date. Changes nothing, not even a folder that is not there."""
        if self.is_embedded and not Path(self.address.folder).exists():
            return migrate.migrations()
        with self._reported():
            client = connect(self.address, "default")
            try:
                return migrate.pending(client, self.database)
            finally:
                client.close()

    def insert(self, lines: bytes, token: str, **settings: object) -> None:
        """Expand spooled lines into every table, once for this token. `settings` override the pinned ones (tests)."""
        with self._inserting() as writer:
            writer.raw_insert(
                "lines",
                insert_block=lines,
                fmt="JSONEachRow",
                settings=self._insert_settings() | {"insert_deduplication_token": token} | settings,
            )

    def prove(self, lines: bytes) -> str:
        """Run lines through a twin of the tables that keeps nothing: empty when they pass, else what failed."""
        with self._writing:
            try:
                with self._reported():
                    self._ready().raw_insert(
                        f"{self.proof}.lines", insert_block=lines, fmt="JSONEachRow", settings=INSERT_SETTINGS
                    )
            except QueryFailed as error:
                if error.code in NO_TABLE:  # somebody else has just rebuilt the twin, or dropped it
                    with self._reported():
                        self._build_proof(self._ready())
                if error.code in NOT_THE_LINES:
                    raise
                return str(error)
        return ""

    def knows_segment(self, name: str) -> bool:
        """Whether a segment of this name was loaded, however long ago; not while its load has not come to its end."""
        with self._at_the_disk() as disk:
            found = self._ready().query(
                "SELECT count() FROM segments WHERE name = {name:String}", parameters={"name": name}
            )
            return bool(found.result_rows[0][0]) and not (disk and disk.is_loading(name))

    def remember_segment(self, name: str, lines: int, first_ms: int, last_ms: int) -> None:
        """Keep a loaded segment's name, with its number of lines and first and last received_at."""
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
        row = {"name": name, "lines": lines, "first_received_at": first, "last_received_at": last}
        self.append("segments", [row], token=name)

    def append(self, table: str, rows: Sequence[Mapping[str, Any]], token: str = "") -> None:
        """Add rows to a table of small state, once for a token. Blocks; raises `StoreAway`."""
        settings = self._quorum() | {"insert_deduplication_token": token or secrets.token_hex(16)}
        with self._inserting() as writer:
            insert_rows(writer, table, rows, settings)

    @contextmanager
    def loading(self, segment: str) -> Iterator[None]:
        """Around the insert of a segment and the remembering of its name. What does not come to its end is taken back
        before anything else is loaded; a server sees to that by itself."""
        with self._at_the_disk() as disk:
            if disk:
                disk.begin(segment)
        yield
        with self._at_the_disk() as disk:
            if disk:
                disk.finish()

    def check_disk(self) -> None:
        """Raises `WritesRefused` when the disk refused something the embedded engine wrote, after putting it right."""
        with self._at_the_disk() as disk:
            if disk:
                disk.check()

    def read(self, sql: str, parameters: dict[str, Any] | None = None, **settings: object) -> list[dict[str, Any]]:
        """Answer one question: rows as dicts, times as aware UTC datetimes. Blocks; raises `StoreAway`."""
        pinned = READ_SETTINGS | (clusters.READ_SETTINGS if self.cluster else {})
        ticket = TICKET.get() or Ticket(READ_SETTINGS["max_execution_time"])
        with self._reader() as reader, ticket.running(partial(self._kill, ticket.mark)):
            _check_wanted(ticket)
            limits = pinned | {"max_execution_time": ticket.left_s} | settings
            result = reader.query(ticket.mark + sql, parameters=parameters or {}, settings=limits)
            _check_wanted(ticket)  # a query that was stopped may end as if it had found nothing
            return list(result.named_results())

    def read_freely(
        self, sql: str, parameters: dict[str, Any] | None = None, most: int = 1_000
    ) -> tuple[list[str], list[list[Any]]]:
        """Answer SQL that somebody wrote by hand: columns and rows. Raises `Forbidden` for what is fenced off."""
        ticket = TICKET.get() or Ticket(READ_SETTINGS["max_execution_time"])
        with ticket.running(partial(self._kill, ticket.mark)), self._reported():
            return self._freely.rows(sql, parameters or {}, most, ticket.mark, partial(_check_wanted, ticket))

    def _kill(self, mark: str) -> None:
        """Stop the queries that begin with a ticket's mark. Where that fails they end with their time."""
        with self._killing, self._reported():
            self._ready()
            self._killer = self._killer or connect(self.address, self.database)
            # chDB takes no query_id of ours, so the mark is found in the text.
            self._killer.command(
                f"KILL QUERY{self._on_cluster} WHERE startsWith(query, {{mark:String}}) ASYNC",
                parameters={"mark": mark},
            )

    def erase(self, person: Person, until: datetime) -> tuple[int, dict[str, int]]:
        """Remember that what was received of a person until then must not come in again, then take their rows out of
        every table; how many sessions there were, and rows by table."""
        with self.handle() as client:
            found = erasing.find(client, person)
            self.append("erased", [{"digest": own, "until": until} for own in erasing.digests(person, found)])
            return len(found.sessions), erasing.erase(client, self.home, person, found, self._on_cluster)

    def erased(self) -> Erased:
        """Everybody who was erased."""
        return Erased(self.read("SELECT digest, max(until) AS until FROM erased GROUP BY digest", max_result_rows=0))

    def wipe(self) -> list[str]:
        """Take what was erased off the disk too; the tables that held some. Rewrites files, so it takes a while."""
        with self.handle() as client:
            return erasing.wipe(client, self.home, self._on_cluster)

    def expire(self, today: date) -> dict[str, int]:
        """Drop what is past its table's limit; rows by table."""
        with self.handle() as client:
            return retention.expire(client, self.home, self._days or {}, today, self._on_cluster)

    def expire_app(self, app: str, days: int, today: date) -> dict[str, int]:
        """Delete an app's rows past its own limit; rows by table."""
        with self.handle() as client:
            return retention.expire_app(client, self.home, app, days, today, self._on_cluster)

    @contextmanager
    def handle(self) -> Iterator[Client]:
        """A handle beside the writer's and the readers', for what takes longer than they may be kept waiting."""
        with self._reported():
            client = connect(self.address, self.database)
            try:
                yield client
            finally:
                client.close()

    @property
    def _on_cluster(self) -> str:
        return self.cluster.on_cluster if self.cluster else ""

    @property
    def proof(self) -> str:
        """The database of the twins."""
        return f"{self.database}_proof"

    @property
    def home(self) -> str:
        """The database of the tables that hold rows: on a cluster those under the plain names are windows on them."""
        return self.cluster.shard_database if self.cluster else self.database

    def _databases(self) -> list[str]:
        return self.cluster.databases() if self.cluster else [f"CREATE DATABASE IF NOT EXISTS {self.database}"]

    def _render(self, statement: str) -> Iterator[str]:
        return self.cluster.render(statement) if self.cluster else iter([statement])

    def _insert_settings(self) -> dict[str, Any]:
        return INSERT_SETTINGS | self._quorum()

    def _quorum(self) -> dict[str, Any]:
        return clusters.INSERT_SETTINGS if self.cluster else {}

    def _build_proof(self, client: Client) -> None:
        proof.build(client, self.home, self.proof, self._on_cluster)

    def _reported(self) -> AbstractContextManager[None]:
        return reported(self.address)

    def _ready(self) -> Client:
        if self._writer is None:
            raise StoreAway("the store is not open")
        return self._writer

    @contextmanager
    def _at_the_disk(self) -> Iterator[Disk | None]:
        with self._writing, self._reported():
            self._ready()
            yield self._disk

    @contextmanager
    def _inserting(self) -> Iterator[Client]:
        with self._writing, self._reported(), ExitStack() as around:
            writer = self._ready()
            if self._disk:
                around.enter_context(self._disk.writing())
            yield writer

    @contextmanager
    def _reader(self) -> Iterator[Client]:
        self._ready()  # a question that outlived the store must not open the engine again
        try:
            reader = self._readers.get(timeout=READ_SETTINGS["max_execution_time"])
        except queue.Empty:
            raise StoreAway("every reader is busy; try again in a moment") from None
        try:
            with self._reported():
                reader = reader or connect(self.address, self.database)
                yield reader
        except BaseException:
            # A handle whose query was stopped may give its result to the next one (chDB 26.9; tests/query/test_ticket.py).
            broken, reader = reader, None
            if broken:
                broken.close()
            raise
        finally:
            self._readers.put(reader)


def _check_wanted(ticket: Ticket) -> None:
    if ticket.is_withdrawn:
        raise QueryFailed("nobody waits for this any more", WITHDRAWN)
