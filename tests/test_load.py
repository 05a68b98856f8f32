"""From the spool into the store: each line exactly once, whatever happens on the way."""

import asyncio
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector import beacon as beacons
from collector.enrich import enrich
from collector.load import Loader, replay
from collector.spool import SEALED, Spool, checksummed, prefix_of
from collector.store import Store, StoreAway
from tests.conftest import a_beacon, an_arrival, as_bytes


def a_line(*events: dict[str, Any], **fields: Any) -> bytes:
    """A line as the door would spool it."""
    beacon = beacons.decode(as_bytes(a_beacon(*events, **fields)))
    return checksummed(msgspec.json.encode(enrich(beacon, an_arrival(received_at=time.time_ns() // 1_000_000))))


def seal(folder: Path, *lines: bytes) -> Path:
    path = folder / (secrets.token_hex(16) + SEALED)
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def loader(store: Store, tmp_path: Path) -> Loader:
    return Loader(tmp_path / "spool", store)


def count(store: Store, table: str = "events") -> int:
    return store.read(f"SELECT count() AS n FROM {table}")[0]["n"]


def ledger(store: Store) -> dict[str, int]:
    return {r["outcome"]: r["n"] for r in store.read("SELECT outcome, sum(n) AS n FROM outcomes GROUP BY outcome")}


def test_a_line_becomes_rows_of_every_table(loader: Loader, store: Store) -> None:
    span = secrets.token_hex(8)
    seal(loader.folder, a_line({"type": "view"}, {"type": "fetch", "name": "GET", "url": "/a/7", "span_id": span}))
    assert loader.step() == 1
    assert count(store) == 2
    (row,) = store.read("SELECT SpanName, ServiceName, SpanKind FROM otel_traces")
    assert row == {"SpanName": "GET /a/:id", "ServiceName": "browser", "SpanKind": "Client"}
    assert ledger(store) == {"stored": 2}
    assert list(loader.folder.glob("*.se*[dt]")) == []


def test_a_segment_is_refused_the_second_time_by_its_name(loader: Loader, store: Store) -> None:
    sealed = seal(loader.folder, *[a_line({"type": "view"}, {"type": "mark", "name": "m"}) for _ in range(50)])
    segment = loader.freeze([sealed])
    assert segment
    data = segment.read_bytes()
    assert loader.load(segment)
    before = count(store), count(store, "otel_traces"), ledger(store)
    segment.write_bytes(data)
    assert not loader.load(segment)
    assert (count(store), count(store, "otel_traces"), ledger(store)) == before == (100, 0, {"stored": 100})


def test_the_engine_refuses_a_repeated_token_by_itself(store: Store) -> None:
    """The second line of defence, for a kill between the insert and the row with its name."""
    data = b"".join(a_line({"type": "view", "span_id": "a" * 16}) for _ in range(200))
    for _ in range(3):
        store.insert(data, token="a" * 32)
    assert (count(store), count(store, "otel_traces"), ledger(store)) == (200, 200, {"stored": 200})


def test_cut_into_other_blocks_the_same_bytes_would_be_new_and_the_name_prevents_it(
    loader: Loader, store: Store
) -> None:
    segment = loader.freeze([seal(loader.folder, *[a_line({"type": "view"}) for _ in range(12)])])
    assert segment
    data = segment.read_bytes()
    loader.load(segment)
    segment.write_bytes(data)
    assert not loader.load(segment)
    assert count(store) == 12
    # The danger is real: without the look at its name, other settings than the pinned ones would have doubled it.
    store.insert(data, token=segment.stem, input_format_parallel_parsing=1, min_chunk_bytes_for_parallel_parsing=1)
    assert count(store) > 12


def test_what_was_refused_of_a_repeated_beacon_is_counted_again_and_what_its_page_dropped_is_not(
    loader: Loader, store: Store
) -> None:
    line = a_line({"type": "view"}, {"type": "nonsense"}, dropped={"fetches": 3})
    seal(loader.folder, line, line)
    loader.step()
    assert ledger(store) == {"stored": 1, "repeat": 1, "event_unknown_type": 2, "client_fetches": 3}


def test_repeats_are_dropped_within_a_file_across_files_and_after_a_restart(loader: Loader, store: Store) -> None:
    line = a_line({"type": "view"}, {"type": "mark", "name": "m"})
    seal(loader.folder, line, line, a_line({"type": "view"}))
    loader.step()
    seal(loader.folder, line)
    loader.step()
    loader.close()
    again = Loader(loader.folder, store)
    seal(again.folder, line, a_line({"type": "view"}))
    again.step()
    again.close()
    assert ledger(store) == {"stored": 4, "repeat": 6}
    assert count(store) == 4


def test_freezing_may_stop_anywhere_and_start_again(loader: Loader, store: Store) -> None:
    line = a_line({"type": "view"})
    sealed = seal(loader.folder, line)
    data = sealed.read_bytes()
    segment = loader.freeze([sealed])
    assert segment
    frozen = segment.read_bytes()
    # killed after its ids were recorded, before the segment got its name
    segment.unlink()
    sealed.write_bytes(data)
    assert loader.freeze([sealed]) == segment
    assert segment.read_bytes() == frozen
    # killed after the segment got its name, before the sealed file went
    sealed.write_bytes(data)
    segment.with_suffix(".sources").write_text(sealed.name)
    loader.step()
    assert count(store) == 1
    assert not sealed.exists()


def test_files_that_gathered_become_one_segment_and_an_interrupted_one_is_finished(
    loader: Loader, store: Store
) -> None:
    files = [seal(loader.folder, a_line({"type": "view"}), a_line({"type": "view"})) for _ in range(5)]
    contents = [path.read_bytes() for path in files]
    segment = loader.freeze(files)
    assert segment
    # killed after the segment got its name, with some of its sources still there
    for path, data in list(zip(files, contents, strict=True))[2:]:
        path.write_bytes(data)
    segment.with_suffix(".sources").write_text("".join(path.name + "\n" for path in files))
    assert loader.step() == 1
    assert ledger(store) == {"stored": 10}
    # killed before it: the files are frozen again, in other company, and nothing of them is taken for a repeat
    files = [seal(loader.folder, a_line({"type": "view"})) for _ in range(3)]
    contents = [path.read_bytes() for path in files]
    segment = loader.freeze(files)
    assert segment
    segment.unlink()
    for path, data in zip(files, contents, strict=True):
        path.write_bytes(data)
    loader.freeze([files[2], seal(loader.folder, a_line({"type": "view"}))])
    loader.step()
    assert ledger(store) == {"stored": 14}
    assert {path.name for path in loader.folder.iterdir() if path.is_file()} <= {
        "seen.sqlite3",
        "seen.sqlite3-wal",
        "seen.sqlite3-shm",
    }


def test_torn_lines_go_and_are_counted(loader: Loader, store: Store) -> None:
    good = [a_line({"type": "view"}) for _ in range(3)]
    flipped = good[1].replace(b'"app":"demo"', b'"app":"dem0"')
    seal(loader.folder, good[0], flipped, b"\x00" * 700 + b"\n", good[2], a_line({"type": "view"})[:-40])
    loader.step()
    assert ledger(store) == {"stored": 2, "torn": 3}


def test_what_the_store_cannot_take_is_quarantined_with_its_reason(loader: Loader, store: Store) -> None:
    row = {
        "line_id": secrets.token_hex(16),
        "received_at": 1_790_000_000_000,
        "app": "demo",
        "events": [{"at": "noon"}],
    }
    poison = checksummed(msgspec.json.encode(row))
    seal(
        loader.folder,
        *[a_line({"type": "view"}) for _ in range(20)],
        poison,
        *[a_line({"type": "view"}) for _ in range(20)],
    )
    loader.step()
    assert count(store) == 40
    assert ledger(store) == {"stored": 40, "quarantined": 1}
    (kept,) = (loader.folder / "quarantine").glob("*.jsonl")
    assert kept.read_bytes() == poison
    assert "at" in kept.with_suffix(".reasons").read_text()


def test_quarantine_can_be_replayed_once_and_an_old_segment_never_doubles(loader: Loader, store: Store) -> None:
    good, poison = a_line({"type": "view"}), a_line({"type": "mark", "name": "n"})
    segment = loader.freeze([seal(loader.folder, good)])
    assert segment
    archived = loader.folder.parent / segment.name
    archived.write_bytes(segment.read_bytes())
    loader.step()
    # What cannot be proved goes to quarantine; later the reason is gone, and it may come back.
    store._writer.command("ALTER TABLE farside_proof.lines MODIFY COLUMN app Enum('other')")
    seal(loader.folder, poison)
    loader.step()
    assert ledger(store) == {"stored": 1, "quarantined": 1}
    store._writer.command("ALTER TABLE farside_proof.lines MODIFY COLUMN app String")
    (kept,) = (loader.folder / "quarantine").glob("*.jsonl")
    for _ in range(3):
        replay(loader.folder, [kept, archived])
        loader.step()
    assert count(store) == 2
    assert ledger(store)["stored"] == 2


def test_a_store_that_is_away_costs_nothing_but_time(loader: Loader, store: Store) -> None:
    seal(loader.folder, a_line({"type": "view"}))
    loader.step()
    watermark = loader.watermark_ms
    store._writer.command("RENAME TABLE lines TO lines_gone")
    seal(loader.folder, a_line({"type": "view"}))
    with pytest.raises(StoreAway):
        for _ in range(2):
            loader.step()
    assert loader.away_since_ms
    assert loader.watermark_ms == watermark
    store._writer.command("RENAME TABLE lines_gone TO lines")
    loader.step()
    assert (count(store), loader.away_since_ms) == (2, 0)


def test_the_proof_has_a_twin_of_every_table(store: Store) -> None:
    tables = {
        (r["database"], r["name"]): r["engine"]
        for r in store.read("SELECT database, name, engine FROM system.tables WHERE database LIKE 'farside%'")
    }
    real = {name for database, name in tables if database == "farside"}
    assert real == {name for database, name in tables if database == "farside_proof"}
    assert {tables["farside_proof", name] for name in real} == {"Null", "MaterializedView"}
    data = a_line({"type": "view", "span_id": "a" * 16})
    assert store.prove(data) == ""
    assert (count(store), count(store, "otel_traces"), count(store, "outcomes")) == (0, 0, 0)


def test_a_twin_that_is_gone_is_no_fault_of_the_lines(loader: Loader, store: Store) -> None:
    """Another process may rebuild it at any time; that must neither block the loader nor fill the quarantine."""
    store._writer.command("DROP DATABASE farside_proof")
    seal(loader.folder, *[a_line({"type": "view"}) for _ in range(4)])
    with pytest.raises(StoreAway):
        loader.step()
    loader.step()
    assert count(store) == 4
    assert ledger(store) == {"stored": 4}
    assert list((loader.folder / "quarantine").iterdir()) == []


def test_orphans_of_a_dead_door_are_adopted_and_those_of_a_living_one_are_not(loader: Loader, store: Store) -> None:
    async def main() -> None:
        spool = Spool(loader.folder, cap_bytes=1 << 30, seal_after_s=3600)
        spool.start()
        await spool.append(a_line({"type": "view"}))
        loader.step()
        assert count(store) == 0, "the door still writes to it"
        spool.close()

    asyncio.run(main())
    (loader.folder / ("b" * 32 + ".open")).write_bytes(a_line({"type": "view"}) + a_line({"type": "view"})[:50])
    loader.step()
    assert count(store) == 2
    assert ledger(store) == {"stored": 2, "torn": 1}


def test_doors_may_seal_their_files_while_orphans_are_looked_for(loader: Loader) -> None:
    """A door that has nothing to keep takes its file away again, between its being listed and its being opened."""
    stop = threading.Event()

    def open_and_seal() -> None:
        paths = [loader.folder / f"{number:032x}.open" for number in range(50)]
        while not stop.is_set():
            for path in paths:
                path.touch()
            for path in paths:
                path.unlink(missing_ok=True)

    door = threading.Thread(target=open_and_seal)
    door.start()
    rounds, until = 0, time.monotonic() + 60
    try:
        while rounds < 500 or (not list(loader.folder.glob(f"*{SEALED}")) and time.monotonic() < until):
            loader._adopt_orphans()
            rounds += 1
    finally:
        stop.set()
        door.join()
    assert list(loader.folder.glob(f"*{SEALED}")), "some it did find"


def test_the_watermark_waits_for_what_is_not_loaded(loader: Loader) -> None:
    async def main() -> None:
        spool = Spool(loader.folder, cap_bytes=1 << 30, seal_after_s=3600)
        spool.start()
        line = a_line({"type": "view"})
        await spool.append(line)
        time.sleep(0.5)
        loader.step()
        prefix = prefix_of(line.rstrip(b"\n"))
        assert prefix
        assert loader.watermark_ms < prefix.received_at
        spool.close()
        loader.step()
        assert loader.watermark_ms >= prefix.received_at

    asyncio.run(main())


def test_the_backlog_can_be_measured_while_files_come_and_go(loader: Loader) -> None:
    """/readyz and /metrics ask in the middle of a drain; a file may go between being found and being looked at."""
    paths = [loader.folder / f"{number:032x}{SEALED}" for number in range(50)]
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for path in paths:
                path.write_bytes(b"x")
            for path in paths:
                path.unlink()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        sizes = [loader.backlog() for _ in range(1_500)]
    finally:
        stop.set()
        thread.join()
    assert max(files for files, _ in sizes) > 0
    assert all(files >= size for files, size in sizes)
