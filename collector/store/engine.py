"""Engine: an address → a handle on it, and whatever a handle raises → one sentence of ours.

A handle runs one query at a time. Handles on the embedded engine share it; chDB lets one process open a folder.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.store.address import Address

# Codes of the engine that say nothing about the lines it was given: no table, no room, no memory, no time, no thread, no
# right to write. https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
NO_TABLE = {60, 81}
WITHDRAWN = 394
NO_RIGHT = {164, 192, 193, 194, 497, 516}
NOT_THE_LINES = NO_TABLE | NO_RIGHT | {159, 160, 202, 209, 210, 236, 241, 243, 279, 373, WITHDRAWN, 439, 473, 999}


# What threads of the engine keep for themselves, and for how long, is memory that a collector at rest would hold for nothing
# (bench/rest.py). What it costs is within the noise of bench/segment.py.
ALLOCATOR = ("JE_MALLOC_CONF", "tcache_max:2048,dirty_decay_ms:1000")

_opened: set[str] = set()  # folders the embedded engine has opened in this process


class StoreAway(Exception):  # noqa: N818
    """The store did not answer; the sentence says what it said. Transient until shown otherwise."""


class QueryFailed(StoreAway):
    """The store answered, and refused this one: a mistake in the question, or a limit of time, rows or memory."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def connect(address: Address, database: str) -> Client:
    """A handle whose unqualified names mean `database`. Raises what the driver raises: wrap it in `reported`."""
    if address.is_embedded:
        _require_unlocked(address.folder)
        os.environ.setdefault(*ALLOCATOR)  # chDB reads it when it is imported, which is at its first handle
        client = clickhouse_connect.get_client(
            interface="chdb", path=address.folder, database=database, tz_mode="aware"
        )
        _opened.add(address.folder)
        return client
    return clickhouse_connect.get_client(
        interface="https" if address.secure else "http",
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        database=database,
        verify=address.verify,
        ca_cert=address.ca_cert or None,
        connect_timeout=address.connect_timeout_s,
        # A session would be locked by a request that the server still works on after we gave up waiting for it.
        autogenerate_session_id=False,
        client_name="farside",
        tz_mode="aware",
    )


def _require_unlocked(folder: str) -> None:
    """Raise `StoreAway` when another process has the folder open: the engine would say so in its own words, at length, on
    standard error. Its own lock in this process looks the same from here, so folders it has open are not asked about."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    if folder in _opened:
        return
    with suppress(FileNotFoundError), (Path(folder) / "status").open("rb") as status:
        try:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreAway(_in_use(folder)) from None


def _in_use(folder: str) -> str:
    return f"cannot open {folder}: another process has it open (is `farside serve` running on it?)"


def insert_rows(client: Client, table: str, rows: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """Add a few rows, by the names of their columns; times are aware datetimes.

    As JSON, for the driver's own way begins by importing pandas, which then holds 30 MB for good (bench/rest.py).
    """
    client.raw_insert(
        table,
        insert_block=b"\n".join(map(msgspec.json.encode, rows)),
        fmt="JSONEachRow",
        settings={"date_time_input_format": "best_effort", "input_format_skip_unknown_fields": 0, **settings},
    )


@contextmanager
def reported(address: Address) -> Iterator[None]:
    """Turn what the driver raises into one sentence of ours."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        code = getattr(error, "code", None)
        sentence = _sentence(address, str(error))
        raise (QueryFailed(sentence, code) if code else StoreAway(sentence)) from error


def _sentence(address: Address, text: str) -> str:
    text = " ".join(text.split())
    if address.is_embedded and "EmbeddedServer" in text:
        return f"{_in_use(address.folder)}, or it is no folder of the embedded engine"
    if found := re.search(r"Caused by \w+\((.*)\)\) executing", text):
        text = f"cannot reach {address}: {found[1]}"
    return (text.replace(address.password, "…") if address.password else text)[:1_000]
