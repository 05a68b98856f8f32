"""The store keeps its promises wherever it is: in this process, behind HTTP, and on a server if there is one.

`FARSIDE_TEST_CLICKHOUSE=clickhouse://user:pw@host:8123` adds a real server to what is tested here; databases are named
farside_test_… and dropped again.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from collector.load import Loader
from collector.settings import load
from collector.spool import checksummed
from collector.store import QueryFailed, Store, StoreAway, migrate, plan
from collector.store.engine import connect
from tests.conftest import ROOT, Front, Running, a_beacon
from tests.test_load import a_line, count, ledger, seal

SERVER = os.environ.get("FARSIDE_TEST_CLICKHOUSE", "")
WHERE = ["chdb", "http", *(["server"] if SERVER else [])]


@pytest.fixture(params=WHERE)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that does not exist yet, and is gone afterwards."""
    if request.param == "chdb":
        yield f"chdb://{tmp_path / 'chdb'}"
        return
    database = f"farside_test_{secrets.token_hex(6)}"
    front = request.getfixturevalue("front") if request.param == "http" else None
    address = front.url(database) if front else f"{SERVER.rstrip('/')}/{database}"
    yield address
    client = connect(Store(address, tmp_path).address, "default")
    for name in (database, f"{database}_proof"):
        client.command(f"DROP DATABASE IF EXISTS {name} SYNC")
    client.close()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store(url, tmp_path / "tmp")
    store.open()
    yield store
    store.close()


def test_a_segment_becomes_rows_once_per_token(store: Store) -> None:
    data = b"".join(a_line({"type": "view", "span_id": secrets.token_hex(8)}) for _ in range(100))
    for _ in range(3):
        store.insert(data, token="a" * 32)
    store.insert(a_line({"type": "view"}), token="b" * 32)
    assert (count(store), count(store, "otel_traces"), ledger(store)) == (101, 100, {"stored": 101})


def test_names_of_segments_are_remembered(store: Store) -> None:
    name = secrets.token_hex(16)
    assert not store.knows_segment(name)
    for _ in range(2):
        store.remember_segment(name, 7, 1_790_000_000_000, 1_790_000_000_999)
    assert store.knows_segment(name)
    (row,) = store.read("SELECT lines, last_received_at FROM segments FINAL")
    assert row == {"lines": 7, "last_received_at": datetime.fromtimestamp(1_790_000_000.999, UTC)}


def test_the_proof_finds_what_cannot_be_stored_and_keeps_nothing(store: Store, tmp_path: Path) -> None:
    row = {"line_id": "a" * 32, "received_at": 1_790_000_000_000, "app": "demo", "events": [{"at": "noon"}]}
    poison = checksummed(msgspec.json.encode(row))
    assert store.prove(a_line({"type": "view"})) == ""
    assert "at" in store.prove(poison)
    assert (count(store), count(store, "outcomes")) == (0, 0)
    loader = Loader(tmp_path / "spool", store)
    seal(loader.folder, *[a_line({"type": "view"}) for _ in range(9)], poison, *[a_line({"type": "view"})])
    loader.step()
    loader.close()
    assert ledger(store) == {"stored": 10, "quarantined": 1}
    assert count(store) == 10


def test_questions_are_bound_by_the_engine_and_limited(store: Store) -> None:
    nasty = "it's {a:String} \\ \t\n; DROP TABLE events -- 🛒"
    asked = {"text": nasty, "list": [1, 2, 3], "when": datetime(2026, 11, 24, 1, 2, 3, 4000, UTC)}
    (row,) = store.read(
        "SELECT {text:String} AS text, {list:Array(UInt8)} AS list, {when:DateTime64(3, 'UTC')} AS when", asked
    )
    assert row == asked
    assert store.read("SELECT number FROM numbers(3) WHERE number > {n:UInt8}", {"n": 1}) == [{"number": 2}]
    with pytest.raises(QueryFailed) as too_many:
        store.read("SELECT number FROM numbers(1000000)", max_result_rows=10)
    assert too_many.value.code == 396
    began = time.monotonic()
    with pytest.raises(QueryFailed) as too_long:
        store.read("SELECT sum(sipHash64(number)) FROM numbers(100000000000)", max_execution_time=1)
    assert too_long.value.code == 159
    assert time.monotonic() - began < 8
    assert store.read("SELECT 1 AS one") == [{"one": 1}], "the handle can be used again"


def test_an_empty_answer_is_an_empty_list(store: Store) -> None:
    assert store.read("SELECT app, n FROM outcomes") == []


def test_migrations_are_safe_twice_and_their_checksums_are_kept(store: Store) -> None:
    before = store.read("SELECT name, create_table_query FROM system.tables WHERE database = {d:String} ORDER BY name",
                        {"d": store.database})  # fmt: skip
    assert store.pending() == []
    for migration in migrate.migrations():
        for statement in migrate.statements(migration.text):
            store._writer.command(statement)
    store.open()
    after = store.read("SELECT name, create_table_query FROM system.tables WHERE database = {d:String} ORDER BY name",
                       {"d": store.database})  # fmt: skip
    assert after == before
    applied = store.read("SELECT version, checksum FROM migrations ORDER BY version")
    assert [(row["version"], row["checksum"]) for row in applied] == [
        (migration.version, migration.checksum) for migration in migrate.migrations()
    ]


def test_what_would_run_is_told_before_anything_exists(url: str, tmp_path: Path) -> None:
    environ = {"FARSIDE_STORE": url, "FARSIDE_DATA": str(tmp_path)}
    assert "CREATE TABLE IF NOT EXISTS events" in plan(load(environ=environ))
    assert not (tmp_path / "chdb").exists()
    store = Store(url, tmp_path / "tmp")
    store.open()
    assert plan(load(environ=environ)).startswith("-- nothing")
    store.close()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("INSERT INTO migrations (version, name, checksum) VALUES (9999, '9999_later.sql', '')", "newer Farside"),
        ("ALTER TABLE migrations UPDATE checksum = 'x' WHERE version = 1 SETTINGS mutations_sync = 2", "differs from"),
    ],
)
def test_a_store_of_another_release_is_refused_and_left_alone(store: Store, change: str, complaint: str) -> None:
    store._writer.command(change)
    with pytest.raises(StoreAway, match=complaint):
        store.open()
    with pytest.raises(StoreAway, match=complaint):
        store.pending()


def test_rows_of_the_first_schema_are_still_there_at_the_head(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store made by the first release, filled through its own views, then opened by this one."""
    head = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: head[:1])
    first = Store(url, tmp_path / "tmp")
    first.open()
    assert [row["version"] for row in first.read("SELECT version FROM migrations")] == [1]
    lines = b"".join(
        a_line({"type": "view", "span_id": secrets.token_hex(8)}, {"type": "mark", "name": "m"}) for _ in range(50)
    )
    first.insert(lines, token="c" * 32)
    first.remember_segment("c" * 32, 50, 1_790_000_000_000, 1_790_000_000_000)
    tables = [row["name"] for row in first.read(FILLED, {"d": first.database})]
    before = {table: first.read(f"SELECT count() AS n FROM {table}") for table in tables}
    kept = first.read("SELECT * FROM events ORDER BY event_id")
    first.close()
    monkeypatch.undo()
    now = Store(url, tmp_path / "tmp")
    now.open()
    assert len(now.read("SELECT version FROM migrations FINAL")) == len(head)
    after = {table: now.read(f"SELECT count() AS n FROM {table}") for table in tables}
    assert after | {"migrations": None} == before | {"migrations": None}
    known = list(kept[0])
    assert now.read(f"SELECT {', '.join(known)} FROM events ORDER BY event_id") == kept
    now.insert(lines, token="c" * 32)
    assert count(now) == 100, "a segment from before the upgrade is still known by its token"
    assert now.prove(lines) == ""
    now.close()


FILLED = "SELECT name FROM system.tables WHERE database = {d:String} AND engine LIKE '%MergeTree'"


def test_two_processes_that_start_at_once_meet_at_the_same_tables(front: Front, tmp_path: Path) -> None:
    database = f"farside_test_{secrets.token_hex(6)}"
    command = [sys.executable, "-m", "collector", "migrate", "--store", front.url(database)]
    running = [
        subprocess.Popen(
            [*command, "--data", str(tmp_path / str(n))], cwd=tmp_path, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n in range(2)
    ]  # fmt: skip
    outputs = [(*process.communicate(timeout=120), process.returncode) for process in running]
    assert [code for _, _, code in outputs] == [0, 0], outputs
    assert all("0001_first_light.sql" in printed for printed, _, _ in outputs)
    store = Store(front.url(database), tmp_path / "tmp")
    store.open()
    store.insert(a_line({"type": "view"}, {"type": "mark", "name": "m"}), token="d" * 32)
    assert (count(store), ledger(store), store.prove(a_line({"type": "view"}))) == (2, {"stored": 2}, "")
    for name in (store.proof, database):
        store._writer.command(f"DROP DATABASE {name}")
    store.close()


def test_a_whole_collector_lives_on_a_server(front: Front, spawn: Callable[..., Running], tmp_path: Path) -> None:
    """Beacons in, rows out, pages answer; no engine in the process, and no password in its log."""
    collector = spawn("--store", front.url(f"farside_test_{secrets.token_hex(6)}"))
    marker = secrets.token_hex(8)
    beacon = a_beacon({"type": "view", "duration_ms": 900}, {"type": "error", "at": 5, "message": f"lost {marker}"})
    assert collector.post(beacon).status == 204
    assert collector.wait_for("SELECT count() FROM events WHERE message LIKE {m:String}", m=f"%{marker}") == 1
    collector.settled()
    assert marker in collector.get("/").body.decode()
    assert json.loads(collector.get("/overview.json").body)
    assert collector.get(f"/views/{beacon['view_id']}").status == 200
    assert json.loads(collector.get("/readyz").body)["store"] == "ok"
    assert collector.ledger() == {("demo", "stored"): 2}
    assert not (collector.data / "chdb").exists()
    assert Front.password not in collector.log
    assert collector.kill(signal.SIGTERM) in (0, -signal.SIGTERM)


def test_a_server_that_falls_over_costs_time_and_no_line(tmp_path: Path) -> None:
    """Killed in the middle of loading, again and again; whatever it had taken by then is not taken twice."""
    front = Front(tmp_path)
    store = Store(front.url("farside"), tmp_path / "tmp")
    store.open()
    loader = Loader(tmp_path / "spool", store)
    sent = 0
    for pause_s in (0.05, 0.3):
        for _ in range(3):
            seal(loader.folder, *[a_line({"type": "view", "span_id": secrets.token_hex(8)}) for _ in range(200)])
            sent += 200
        loading = threading.Thread(target=suppressed, args=(loader,))
        loading.start()
        time.sleep(pause_s)
        front.stop()
        loading.join(60)
        with pytest.raises(StoreAway, match=r"cannot reach|Connection|closed|reset"):
            store.read("SELECT 1")
        front.start()
    loader.step()
    assert (count(store), count(store, "otel_traces"), ledger(store)) == (sent, sent, {"stored": sent})
    loader.close()
    store.close()
    front.stop()


def suppressed(loader: Loader) -> None:
    with contextlib.suppress(StoreAway):
        loader.step()


def test_a_question_that_outlives_the_store_does_not_open_it_again(tmp_path: Path) -> None:
    first, second = (Store(f"chdb://{tmp_path / name}", scratch=tmp_path / f"{name}-tmp") for name in ("one", "two"))
    first.open()
    first.close()
    with pytest.raises(StoreAway, match="not open"):
        first.read("SELECT 1")
    second.open()  # one folder at a time: this fails while anything has the first one open
    second.close()
