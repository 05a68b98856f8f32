"""SQL written by hand reads our tables, within limits, and can do nothing else. Attacked here."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import Forbidden, QueryFailed, Store
from collector.store.freely import LIMITS
from tests.pages.shop import Shop


@pytest.fixture(scope="module")
def fenced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """A store, and a folder with a secret in it."""
    folder = tmp_path_factory.mktemp("fenced")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(LIMITS, "max_execution_time", 2)  # the same fence, with less patience
    (folder / "secret.txt").write_text("hush\n")
    store = Store(f"chdb://{folder / 'chdb'}", scratch=folder / "tmp")
    store.open()
    shop = Shop(seed=1, now_ms=int(time.time() * 1000))
    store.insert(shop.views(5).to_bytes(), "few")
    yield store, folder
    store.close()
    monkeypatch.undo()


HONEST = [
    "SELECT route, quantileExactWeighted(0.75)(value, sample_n) FROM events WHERE type = 'vital' GROUP BY route",
    "SELECT app FROM farside.events",
    "WITH slow AS (SELECT view_id FROM events WHERE value > 10) SELECT count() FROM slow",
    "SELECT attributes['plan'] AS plan, uniqExactIf(user_id, user_id != '') FROM events GROUP BY plan",
    "SELECT toStartOfMinute(received_at) AS t, count() FROM events GROUP BY t ORDER BY t WITH FILL LIMIT 3",
    "SELECT * EXCEPT (stack) FROM events LIMIT 1",
    "SELECT arrayMap(x -> x + 1, [1]) AS a, CASE WHEN 1 THEN 'x' ELSE 'y' END AS b, '2'::Int8 AS d",
    "SELECT name, row_number() OVER (PARTITION BY name ORDER BY value) AS nr FROM events WHERE type = 'vital'",
    "SELECT e.route, s.SpanName FROM events AS e JOIN otel_traces AS s ON s.TraceId = e.trace_id LIMIT 1 -- a comment",
    "SELECT sum(n) FROM outcomes WHERE outcome = 'stored'",
    "SELECT {who:String} AS who, now() > toDateTime('2020-01-01') AS late, INTERVAL 1 DAY AS day",
    "SELECT count() FROM events WHERE view_id IN (SELECT view_id FROM events WHERE type = 'error') UNION ALL SELECT 1",
    "SELECT number FROM numbers(10)",
    "SELECT lower(name) AS x, substring(url, 1, 3), match(url, 'a.*'), JSONExtractString(breadcrumbs, 'x') FROM events",
]


@pytest.mark.parametrize("sql", HONEST)
def test_honest_questions_are_answered(fenced: tuple[Store, Path], sql: str) -> None:
    columns, rows = fenced[0].read_freely(sql, {"who": "me"})
    assert columns
    assert len(rows) <= 1_000


ATTACKS = [
    "SELECT * FROM file('{folder}/secret.txt', 'LineAsString')",
    "SELECT file('{folder}/secret.txt')",
    "SELECT * APPLY(file) FROM (SELECT '{folder}/secret.txt')",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '{folder}/secret.txt')",
    "SELECT arrayMap(x -> file(x), ['{folder}/secret.txt'])",
    "SELECT `file`('{folder}/secret.txt')",
    "SELECT `file\n Literal`('{folder}/secret.txt'), file('{folder}/secret.txt') AS `x\n Identifier y`",
    "WITH (SELECT file('{folder}/secret.txt')) AS x SELECT x",
    "SELECT 1 FROM events WHERE file('{folder}/secret.txt') = 'hush'",
    "SELECT 1 ORDER BY file('{folder}/secret.txt')",
    "SELECT 1 LIMIT length(file('{folder}/secret.txt'))",
    "SELECT * REPLACE (file('{folder}/secret.txt') AS x) FROM (SELECT 1 AS x)",
    "SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString')",
    "SELECT * FROM urlCluster('default', 'http://127.0.0.1:{port}/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:{port}', system.one)",
    "SELECT * FROM remoteSecure('127.0.0.1:{port}', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:{port}/x', 'CSV')",
    "SELECT * FROM deltaLake('http://127.0.0.1:{port}/x')",
    "SELECT * FROM iceberg('http://127.0.0.1:{port}/x')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:{port}/x', 'CSV')",
    "SELECT * FROM mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM mongodb('127.0.0.1:{port}', 'a', 'b', 'c', 'd', 'e String')",
    "SELECT * FROM redis('127.0.0.1:{port}', 'k', 'k String')",
    "SELECT * FROM sqlite('{folder}/x.db', 't')",
    "SELECT * FROM executable('cat', 'TSV', 'x String')",
    "SELECT * FROM python('sql')",
    "SELECT * FROM Python(sql)",
    "SELECT * FROM merge('farside', '.*')",
    "SELECT * FROM dictionary('x')",
    "SELECT * FROM input('x String')",
    "SELECT * FROM loop(events)",
    "SELECT * FROM view(SELECT 1)",
    "SELECT aiGenerate('x', 'tell me')",
    "SELECT * FROM numbers(5) INTO OUTFILE '{folder}/out.txt'",
    "SELECT 1) INTO OUTFILE '{folder}/out.txt' --",
    "SELECT 1) LIMIT 1 UNION ALL SELECT * FROM file('{folder}/secret.txt', 'LineAsString') --",
    "SELECT 1) /*",
    "SELECT 1; DROP TABLE events",
    "SELECT 1 FORMAT Null",
    "KILL QUERY WHERE 1",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "DROP TABLE events",
    "TRUNCATE events",
    "ALTER TABLE events DELETE WHERE 1",
    "INSERT INTO segments (name) VALUES ('x')",
    "INSERT INTO FUNCTION file('{folder}/out.txt', 'CSV') SELECT 1",
    "CREATE TABLE x ENGINE = Memory AS SELECT 1",
    "CREATE FUNCTION f AS () -> 1",
    "SYSTEM SHUTDOWN",
    "ATTACH TABLE x",
    "BACKUP DATABASE farside TO Disk('x', 'y')",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "DESCRIBE TABLE events",
    "SELECT * FROM system.tables",
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`settings`",
    "SELECT * FROM SYSTEM.one",
    "SELECT 1 IN system.one",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM migrations",
    "SELECT * FROM farside.migrations",
    "SELECT 1 IN (farside.migrations)",
    "SELECT * FROM farside_proof.lines",
    "SELECT getSetting('readonly')",
    "SELECT getServerSetting('x')",
    "SELECT hostName(), version(), currentUser(), serverUUID(), FQDN(), uptime()",
    "SELECT sleep(3)",
    "SELECT sleepEachRow(1) FROM numbers(10)",
    "SELECT dictGet('x', 'y', 1)",
    "SELECT joinGet('x', 'y', 1)",
    "SELECT addressToSymbol(1)",
    "SELECT filesystemAvailable()",
    "SELECT getMacro('x')",
    "SELECT regionToName(1::UInt32)",
    "SELECT showCertificate()",
    "SELECT evalMLMethod(1, 2)",
    "SELECT chdb()",
    "",
    ")",
    "\x00",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_fence_holds(fenced: tuple[Store, Path], attack: str) -> None:
    store, folder = fenced
    heard: list[object] = []
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen()
        ear.settimeout(0.05)
        sql = attack.replace("{folder}", str(folder)).replace("{port}", str(ear.getsockname()[1]))
        with pytest.raises((Forbidden, QueryFailed)) as refused:
            print(store.read_freely(sql))
        with contextlib.suppress(TimeoutError):
            heard.append(ear.accept())
    assert heard == [], "the engine spoke to another machine"
    assert "hush" not in str(refused.value)
    assert not (folder / "out.txt").exists()
    # Nothing else was touched: the loader's and the readers' handles work as before.
    assert store.read("SELECT count() AS n FROM events WHERE type = 'view'") == [{"n": 5}]


def test_no_query_takes_all_memory_or_time(fenced: tuple[Store, Path]) -> None:
    store, _ = fenced
    for greedy, code in (
        ("SELECT groupArray(toString(number)) FROM numbers(100000000000)", 241),
        (
            "SELECT a.number FROM numbers(10000000) a CROSS JOIN numbers(10000000) b ORDER BY cityHash64(b.number)",
            241,
        ),
    ):
        with pytest.raises(QueryFailed) as refused:
            store.read_freely(greedy)
        assert refused.value.code in {code, 241, 159, 396, 307}
    begun = time.monotonic()
    with pytest.raises(QueryFailed):
        store.read_freely("SELECT sum(cityHash64(number)) FROM numbers(100000000000000)")
    assert time.monotonic() - begun < 7


def test_rows_are_limited_and_ids_survive(fenced: tuple[Store, Path]) -> None:
    store, _ = fenced
    columns, rows = store.read_freely("SELECT number AS n, 'x' AS n2 FROM numbers(1000000)", most=7)
    assert (columns, len(rows)) == (["n", "n2"], 7)
    assert json.dumps(rows)


def test_loading_goes_on_beside_it(fenced: tuple[Store, Path]) -> None:
    store, _ = fenced
    done = threading.Event()

    def ask() -> None:
        with pytest.raises(QueryFailed):
            store.read_freely("SELECT sum(cityHash64(number)) FROM numbers(100000000000000)")
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    begun = time.monotonic()
    store.insert(Shop(seed=2, now_ms=int(time.time() * 1000), app="empty").views(3).to_bytes(), "beside")
    assert time.monotonic() - begun < 8
    thread.join(20)
    assert done.is_set()
