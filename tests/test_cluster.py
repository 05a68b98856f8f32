"""The rendering for a cluster: parsed by the engine, kept in the docs, and used as far as an engine without Keeper goes."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.load import Loader
from collector.settings import load
from collector.store import Store, cluster, migrate, plan
from collector.store.cluster import CannotRender, Cluster
from tests.clickhouse_front import alone
from tests.conftest import ROOT, Front
from tests.test_load import a_line, count, ledger, seal

DAYS = {"retention_days": 30, "span_retention_days": 0, "ledger_retention_days": 400}
SCRIPT = ROOT / "docs" / "cluster.sql"


def rendered() -> list[str]:
    return migrate.statements(plan(load(environ={"FARSIDE_CLUSTER": "main"})))


def test_the_docs_show_what_would_run() -> None:
    assert SCRIPT.read_text() == plan(load(environ={"FARSIDE_CLUSTER": "main"})), (
        "farside migrate --dry-run --cluster main > docs/cluster.sql"
    )


def test_the_engine_can_read_every_statement(store: Store) -> None:
    for statement in rendered():
        assert store.read("SELECT formatQuery({sql:String}) AS sql", {"sql": statement})[0]["sql"]
        assert store.read(f"EXPLAIN AST {statement}")


def test_every_table_is_on_every_node_replicated_or_empty() -> None:
    statements = rendered()
    assert all("ON CLUSTER `main`" in statement for statement in statements)
    for engine in re.findall(r"^ENGINE = (\w+)", SCRIPT.read_text(), re.MULTILINE):
        assert re.fullmatch(r"Null|Distributed|Replicated\w*MergeTree", engine), engine
    text = SCRIPT.read_text()
    assert "replicated_deduplication_window = 10000" in text
    assert "non_replicated" not in text


def test_what_views_write_is_sharded_and_the_rest_is_everywhere() -> None:
    """A token is known to one shard only, so what it protects must lie on a shard; a compare-and-set needs one place."""
    text = SCRIPT.read_text()
    for table in re.findall(r"TO farside_shard\.(\w+) AS", text):
        assert f"farside.{table} ON CLUSTER `main` AS farside_shard.{table}" in text
    for table in ("segments", "migrations"):
        definition = text.split(f"TABLE IF NOT EXISTS farside.{table} ON CLUSTER")[1].split(";")[0]
        assert "/everywhere/" in definition
        assert f"farside_shard.{table}" not in text


def test_a_statement_nobody_thought_of_is_refused() -> None:
    spread = Cluster("main", "farside", migrate.migrations())
    with pytest.raises(CannotRender, match="OPTIMIZE"):
        list(spread.render("OPTIMIZE TABLE events FINAL"))
    assert list(spread.render("ALTER TABLE events ADD COLUMN IF NOT EXISTS x String")) == [
        "ALTER TABLE farside_shard.events ON CLUSTER `main` ADD COLUMN IF NOT EXISTS x String",
        (
            "CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events\n"
            "ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id))"
        ),
    ]
    assert list(spread.render("DROP VIEW IF EXISTS lines_to_events")) == [
        "DROP VIEW IF EXISTS farside_shard.lines_to_events ON CLUSTER `main` SYNC"
    ]


def test_the_same_lines_reach_the_same_shards_whoever_asks(store: Store) -> None:
    """The key is a pure function of the line: of its session, or of its own id when it has none."""
    lines = [a_line({"type": "view"}) for _ in range(200)]
    key = cluster.KEYS["lines"]
    asked = (
        f"SELECT line_id, session_id, {key} % 3 AS shard FROM format(JSONEachRow, {{lines:String}}) ORDER BY line_id"
    )
    first, second = (store.read(asked, {"lines": b"".join(part).decode()}) for part in (lines, lines[::-1]))
    assert first == second
    shards = [row["shard"] for row in first]
    assert min(shards.count(shard) for shard in range(3)) > 30
    events = f"SELECT {cluster.KEYS['events']} % 3 AS shard FROM (SELECT {{session:String}} AS session_id)"
    assert all(store.read(events, {"session": row["session_id"]})[0]["shard"] == row["shard"] for row in first[:20])


ONE_CLUSTER = """<clickhouse><remote_servers><main><shard><internal_replication>true</internal_replication>
<replica><host>127.0.0.1</host><port>9000</port></replica></shard></main></remote_servers></clickhouse>"""


def test_the_tables_in_front_of_the_shards_can_be_made_as_they_stand(tmp_path: Path) -> None:
    """With a cluster in the engine's configuration `Distributed` needs no rewriting; nobody answers behind it."""
    config = tmp_path / "cluster.xml"
    config.write_text(ONE_CLUSTER)
    statements = [
        re.sub(r" ON CLUSTER `\w+`", "", statement) if "Distributed(" in statement else alone(statement)
        for statement in rendered()
    ]
    script = (
        "import sys, json, chdb\n"
        f"engine = chdb.connect({f'{tmp_path}/chdb?config-file={config}'!r})\n"
        "for statement in json.load(sys.stdin): engine.query(statement)\n"
        "sql = \"SELECT count() FROM system.tables WHERE database = 'farside' AND engine = 'Distributed'\"\n"
        "print(engine.query(sql, 'TabSeparated').bytes().decode())\n"
    )
    again = [
        re.sub("CREATE TABLE IF NOT EXISTS", "CREATE OR REPLACE TABLE", s) for s in statements if "Distributed(" in s
    ]
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        input=json.dumps(statements + again),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    fronts = {
        re.sub(r" AS .*", "", statement, flags=re.DOTALL) for statement in again
    }  # an ALTER makes its table's anew
    assert int(done.stdout) == len(fronts) >= 5


@pytest.fixture
def clustered(tmp_path: Path) -> Iterator[Store]:
    front = Front(tmp_path, "--cluster-of-one")
    store = Store(front.url(f"farside_{secrets.token_hex(4)}"), tmp_path / "tmp", cluster="main", days=DAYS)
    store.open()
    yield store
    store.close()
    front.stop()


def test_a_store_works_through_the_tables_in_front_of_the_shards(clustered: Store, tmp_path: Path) -> None:
    assert clustered.read(
        "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'events'"
    ) == [{"engine": "Proxy"}], "events is a window, not the table itself"
    data = b"".join(a_line({"type": "view", "span_id": secrets.token_hex(8)}) for _ in range(50))
    for _ in range(3):
        clustered.insert(data, token="a" * 32)
    assert (count(clustered), count(clustered, "otel_traces"), ledger(clustered)) == (50, 50, {"stored": 50})
    loader = Loader(tmp_path / "spool", clustered)
    seal(loader.folder, a_line({"type": "view"}, {"type": "mark", "name": "m"}))
    assert loader.step() == 1
    loader.close()
    assert count(clustered) == 52
    assert count(clustered, "segments") == 1
    clustered.open()
    assert clustered.pending() == []
