"""Moving house and taking rows along: what is counted on one side is there on the other."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from collector.cli import main
from collector.load import Loader
from collector.store import Store, StoreAway
from collector.store.export import export
from collector.store.move import move
from tests.conftest import ROOT, Front
from tests.test_load import a_line, count, ledger, seal


@pytest.fixture
def server(front: Front, tmp_path: Path) -> Iterator[Store]:
    store = Store(front.url(f"farside_test_{secrets.token_hex(6)}"), tmp_path / "tmp-server")
    store.open()
    yield store
    for name in (store.proof, store.database):
        store._writer.command(f"DROP DATABASE IF EXISTS {name} SYNC")
    store.close()


def fill(store: Store, folder: Path) -> None:
    """A few segments by way of the loader, with repeats, spans, and days of their own."""
    loader = Loader(folder / "spool", store)
    for _ in range(3):
        line = a_line({"type": "view", "span_id": secrets.token_hex(8)}, {"type": "mark", "name": "m"}, user_id="ann")
        seal(loader.folder, line, line, *[a_line({"type": "view"}) for _ in range(20)])
        loader.step()
    loader.close()
    store._writer.command(
        "INSERT INTO events (app, type, event_id, received_at, timestamp) SELECT 'old', 'view', toString(number),"
        " now64(3) - toIntervalDay(number % 9 + 1), received_at FROM numbers(5000)".replace(
            "received_at FROM", "now64(3) FROM"
        )
    )


TABLES = ("events", "otel_traces", "otel_traces_trace_id_ts", "outcomes", "segments", "audit", "erased")


def everything(store: Store) -> dict[str, list[dict[str, object]]]:
    return {table: store.read(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES} | {
        "outcomes": store.read("SELECT app, minute, outcome, sum(n) AS n FROM outcomes GROUP BY ALL ORDER BY ALL")
    }


def test_an_installation_moves_to_a_server_and_goes_on_there(store: Store, server: Store, tmp_path: Path) -> None:
    fill(store, tmp_path)
    said: list[str] = []
    rows = move(store, server, said.append)
    assert everything(server) == everything(store)
    assert said[-1].split()[:3] == [f"{rows:,}", "of", f"{rows:,}"]
    assert len({line.split()[-1] for line in said}) > 9, "a line for every day"
    left = server.read("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'moving%'")
    assert left == []
    before = count(server), ledger(server)["stored"]
    loader = Loader(tmp_path / "spool", server)
    seal(loader.folder, a_line({"type": "view"}))
    loader.step()
    loader.close()
    assert (count(server), ledger(server)["stored"]) == (before[0] + 1, before[1] + 1)


def test_a_move_that_was_interrupted_goes_on_and_doubles_nothing(store: Store, server: Store, tmp_path: Path) -> None:
    fill(store, tmp_path)

    def give_up(line: str) -> None:
        said.append(line)
        if len(said) == 7:
            raise KeyboardInterrupt

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        move(store, server, give_up)
    assert 0 < count(server) < count(store)
    # Half of a partition was on its way when it stopped.
    server._writer.command("INSERT INTO moving_events (app, event_id) VALUES ('half', '1')")
    move(store, server, lambda line: None)
    assert everything(server) == everything(store)


def test_rows_of_somebody_else_are_not_overwritten(store: Store, server: Store, tmp_path: Path) -> None:
    fill(store, tmp_path)
    server.insert(a_line({"type": "view"}), token="a" * 32)
    with pytest.raises(StoreAway, match=r"holds rows of its own .events, outcomes"):
        move(store, server, lambda line: None)
    assert count(server) == 1


def test_two_embedded_stores_are_a_folder_to_copy(store: Store) -> None:
    with pytest.raises(StoreAway, match="copy the folder"):
        move(store, store, lambda line: None)


def test_the_command_moves_and_says_what_to_do_next(store: Store, front: Front, tmp_path: Path) -> None:
    fill(store, tmp_path)
    store.close()
    url = front.url(f"farside_test_{secrets.token_hex(6)}")
    command = [sys.executable, "-m", "collector", "move", f"chdb://{tmp_path / 'chdb'}", url, "--data", str(tmp_path)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert "now set store = 'clickhouse://farside@127.0.0.1" in done.stdout
    assert front.password not in done.stdout + done.stderr
    moved = Store(url, tmp_path / "tmp-server")
    moved.open()
    assert count(moved) == 5066
    for name in (moved.proof, moved.database):
        moved._writer.command(f"DROP DATABASE {name} SYNC")
    moved.close()


@pytest.mark.parametrize("where", ["store", "server"])
def test_parquet_holds_the_rows_that_were_asked_for(where: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store: Store = request.getfixturevalue(where)
    fill(store, tmp_path)
    file = tmp_path / "it's all.parquet"
    written = export(store, "events", file)
    table = pyarrow.parquet.read_table(file)
    assert (written.rows, table.num_rows, written.size) == (5066, 5066, file.stat().st_size)
    assert {"app", "received_at", "attributes"} <= set(table.column_names)
    (days,) = store.read("SELECT toString(today() - 3) AS since, toString(today() - 1) AS until")
    written = export(store, "events", file, app="old", **days)
    assert written.rows == pyarrow.parquet.read_metadata(file).num_rows
    inside = "SELECT count() AS n FROM events WHERE app = 'old' AND toDate(received_at) IN (today() - 3, today() - 2)"
    assert written.rows == store.read(inside)[0]["n"] > 1000
    for table_name, narrowed in (("nope", {}), ("segments", {"app": "demo"})):
        with pytest.raises(StoreAway):
            export(store, table_name, file, **narrowed)
    assert [path.name for path in tmp_path.glob("*.draft")] == []


def test_the_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ledger.parquet"
    arguments = ["export", "outcomes", "--out", str(out), "--since", "2026-01-01T12:00", "--data", str(tmp_path)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{out}: 0 rows, {out.stat().st_size:,} bytes\n"
    with pytest.raises(SystemExit):
        main(["export", "--since", "yesterday", "--data", str(tmp_path)])
    assert "'yesterday' is not a time such as 2026-11-24" in capsys.readouterr().err
