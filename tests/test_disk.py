"""A disk that refuses what the engine writes, and processes that end in the middle of an insert.

The engine takes a refused write for one that succeeded (it would be a finding if it did not any more:
`test_the_engine_acknowledges_what_the_disk_refused`), and syncs parts, but not the tokens that stand for them.
"""

import os
import resource
import secrets
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.load import Loader
from collector.store import Store, StoreAway, WritesRefused, begun
from collector.store.disk import SPARE_DISK_BYTES, put_right
from collector.store.erase import Person
from collector.store.parts import is_cut_off
from tests.test_load import a_line, seal

# More than a line of the spool, less than the engine's list of an event row's columns.
CUT_AT = 4_000
PER_LINE = {"events": 1, "otel_traces": 1, "otel_traces_trace_id_ts": 1}


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No write beyond that many bytes of a file succeeds, in this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def loader(store: Store, tmp_path: Path) -> Loader:
    loader = Loader(tmp_path / "spool", store)
    load_a_line(loader)
    return loader


def a_view() -> bytes:
    return a_line({"type": "view", "span_id": secrets.token_hex(8)})


def load_a_line(loader: Loader) -> None:
    seal(loader.folder, a_view())
    assert loader.step() == 1


def frozen(loader: Loader) -> Path:
    segment = loader.freeze([seal(loader.folder, a_view())])
    assert segment
    return segment


def counts(store: Store) -> dict[str, int]:
    found = {table: store.read(f"SELECT count() AS n FROM {table}")[0]["n"] for table in PER_LINE}
    sums = {"outcomes": "outcome = 'stored'", "span_lengths": "1"}
    return found | {t: store.read(f"SELECT sum(n) AS n FROM {t} WHERE {only}")[0]["n"] for t, only in sums.items()}


def each(n: int) -> dict[str, int]:
    return dict.fromkeys([*PER_LINE, "outcomes", "span_lengths"], n)


def reopened(loader: Loader, meanwhile: Callable[[], None] = lambda: None) -> Loader:
    """The next process on the same folders; `meanwhile` is what happens to them while there is none."""
    loader.close()
    loader.store.close()
    meanwhile()
    loader.store.open()
    return Loader(loader.folder, loader.store)


def interrupt(loader: Loader, segment: Path, cut_at: int = 0) -> None:
    """Ship a segment, and be gone before anything else is done."""
    with pytest.raises(KeyboardInterrupt), loader.store.loading(segment.stem):
        insert_unseen(loader.store, segment.read_bytes(), segment.stem, cut_at)
        raise KeyboardInterrupt


def insert_unseen(store: Store, data: bytes, token: str, cut_at: int) -> None:
    """What the engine does by itself, as when the process ends before anybody looks at the disk."""
    settings = store._insert_settings() | {"insert_deduplication_token": token}
    with files_end_at(cut_at) if cut_at else files_end_at(resource.RLIM_INFINITY):
        store._writer.raw_insert("lines", insert_block=data, fmt="JSONEachRow", settings=settings)


def newest_part(store: Store, table: str) -> Path:
    (row,) = store.read(
        "SELECT path FROM system.parts WHERE database = 'farside' AND table = {table:String} AND active"
        " ORDER BY max_block_number DESC LIMIT 1",
        {"table": table},
    )
    return Path(row["path"])


def test_the_engine_acknowledges_what_the_disk_refused(store: Store) -> None:
    """Why all this is needed: no exception, and the rows are gone at the next start."""
    insert_unseen(store, a_view(), "a" * 32, CUT_AT)
    assert store.read("SELECT count() AS n FROM events")[0]["n"] == 1
    store.close()
    store.open()
    assert store.read("SELECT count() AS n FROM events")[0]["n"] == 0


def test_a_segment_that_the_disk_cut_off_is_loaded_again(loader: Loader) -> None:
    segment = frozen(loader)
    with files_end_at(CUT_AT), pytest.raises(WritesRefused):
        loader.load(segment)
    assert segment.exists()
    with pytest.raises(WritesRefused):  # the disk is well again, and the tables are read anew
        loader.step()
    assert loader.step() == 1
    assert counts(loader.store) == each(2)
    assert counts(reopened(loader).store) == each(2)


@pytest.mark.parametrize("cut_at", [0, CUT_AT])
def test_a_process_that_ends_before_the_segment_is_remembered(loader: Loader, cut_at: int) -> None:
    """With the disk in order, and with one that cut off the very insert."""
    interrupt(loader, frozen(loader), cut_at)
    again = reopened(loader)
    again.step()
    assert counts(again.store) == each(2)
    assert counts(reopened(again).store) == each(2)


@pytest.mark.parametrize("table", ["events", "otel_traces"])
def test_a_token_without_its_part(loader: Loader, table: str) -> None:
    """Killed between two system calls: the engine writes the token, then renames the part."""
    interrupt(loader, frozen(loader))
    part = newest_part(loader.store, table)
    again = reopened(loader, lambda: shutil.rmtree(part))
    again.step()
    assert counts(again.store) == each(2)


@pytest.mark.parametrize("table", ["events", "otel_traces"])
def test_a_part_without_its_token(loader: Loader, table: str) -> None:
    """A power cut: the part was synced, the log of tokens was not."""
    interrupt(loader, frozen(loader))
    log = newest_part(loader.store, table).parent / "deduplication_logs"

    def lose_the_last_token() -> None:
        newest = max(log.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        lines = newest.read_bytes().splitlines(keepends=True)
        newest.write_bytes(b"".join(lines[:-1]))

    again = reopened(loader, lose_the_last_token)
    again.step()
    assert counts(again.store) == each(2)


def merge_everything(store: Store) -> None:
    with store.handle() as client:
        for table in [*each(0), "segments"]:
            client.command(f"OPTIMIZE TABLE farside.{table} FINAL")


def folders(store: Store) -> dict[str, Path]:
    return {table: newest_part(store, table).parent for table in each(0)}


@pytest.mark.parametrize("is_remembered", [False, True], ids=["before it was remembered", "after"])
def test_what_was_merged_with_older_parts_is_taken_back_too(loader: Loader, is_remembered: bool) -> None:
    """With every token lost: what it was merged from is still on the disk (found by the crash oracle, seed 128)."""
    load_a_line(loader)
    segment = frozen(loader)
    with pytest.raises(KeyboardInterrupt), loader.store.loading(segment.stem):
        insert_unseen(loader.store, segment.read_bytes(), segment.stem, cut_at=0)
        if is_remembered:
            loader.store.remember_segment(segment.stem, 1, 1_790_000_000_000, 1_790_000_000_000)
        merge_everything(loader.store)
        raise KeyboardInterrupt
    tables = folders(loader.store)
    again = reopened(loader, lambda: [shutil.rmtree(path / "deduplication_logs") for path in tables.values()])
    assert counts(again.store) == each(2)
    assert again.step() == 1
    assert counts(again.store) == each(3)
    merge_everything(again.store)
    assert counts(reopened(again).store) == each(3)


def test_a_load_whose_parts_were_merged_while_the_disk_refused_writes_comes_once(loader: Loader) -> None:
    segment = frozen(loader)
    store = loader.store
    with pytest.raises(WritesRefused), store.loading(segment.stem):
        store.insert(segment.read_bytes(), token=segment.stem)
        merge_everything(store)
        with files_end_at(200), pytest.raises(WritesRefused):  # somebody else's row, between insert and end
            store.append("erased", [{"digest": "a" * 64, "until": "2026-11-27 00:00:00.000"}])
        with pytest.raises(WritesRefused):
            store.check_disk()
        store.remember_segment(segment.stem, 1, 1_790_000_000_000, 1_790_000_000_000)
    assert loader.step() == 1
    assert counts(store) == each(2)
    assert counts(reopened(loader).store) == each(2)


def test_a_merged_part_that_cannot_be_replaced_stays_and_its_token_is_believed(loader: Loader) -> None:
    interrupt(loader, frozen(loader))
    merge_everything(loader.store)
    merged = {table: newest_part(loader.store, table) for table in each(0)}

    def lose_the_sources() -> None:
        for part in merged.values():
            for other in part.parent.glob("*_*_*_*"):
                if other.name != part.name and not other.name.startswith("tmp"):
                    shutil.rmtree(other)

    again = reopened(loader, lose_the_sources)
    assert counts(again.store) == each(2)
    assert again.step() == 1
    assert counts(again.store) == each(2)


def test_a_note_does_not_grow_older_than_what_a_merge_leaves(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that throws for long, and what its neighbours have written is merged meanwhile."""
    segment = frozen(loader)
    with loader.store.handle() as client:
        client.command("CREATE TABLE farside.zz_sink (x UInt8) ENGINE = Null")
        client.command(
            "CREATE MATERIALIZED VIEW farside.zz_thrower TO farside.zz_sink AS"
            " SELECT throwIf(length(line_id) > 0, 'planted') AS x FROM farside.lines"
        )
    with pytest.raises(StoreAway, match="planted"):
        loader.load(segment)
    merge_everything(loader.store)
    folder = Path(loader.store.address.folder)
    first = begun.read(folder)
    with pytest.raises(StoreAway, match="planted"):
        loader.load(segment)
    assert begun.read(folder) == first
    monkeypatch.setattr(begun, "OLDEST_S", 0)
    with pytest.raises(StoreAway, match="planted"):
        loader.load(segment)
    second = begun.read(folder)
    assert first
    assert second
    assert first.at_s < second.at_s
    assert first.blocks == second.blocks
    with loader.store.handle() as client:
        client.command("DROP TABLE farside.zz_thrower")
        client.command("DROP TABLE farside.zz_sink")
    loader.load(segment)
    assert counts(loader.store) == each(2)


def test_who_was_erased_while_a_load_was_interrupted_does_not_come_back(loader: Loader) -> None:
    """What a merged part was made of lies there from before the deletion, which the engine does again."""
    store = loader.store
    seal(loader.folder, a_line({"type": "view", "span_id": secrets.token_hex(8)}, user_id="ann"), a_view())
    assert loader.step() == 1
    segment = frozen(loader)
    with pytest.raises(KeyboardInterrupt), store.loading(segment.stem):
        insert_unseen(store, segment.read_bytes(), segment.stem, cut_at=0)
        assert store.erase(Person("user", "ann"), datetime.now(UTC))[1]["events"] == 1
        merge_everything(store)
        raise KeyboardInterrupt
    again = reopened(loader)
    assert again.step() == 1
    merge_everything(again.store)
    people = {row["user_id"] for row in again.store.read("SELECT DISTINCT user_id FROM events")}
    assert "ann" not in people
    assert counts(again.store)["events"] == 3
    assert counts(again.store)["otel_traces"] == 3


def test_a_folder_that_another_process_has_open_is_left_alone(loader: Loader) -> None:
    folder = Path(loader.store.address.folder)
    with pytest.raises(KeyboardInterrupt), loader.store.loading(frozen(loader).stem):
        insert_unseen(loader.store, a_view(), "a" * 32, 0)
        put_right(folder)
        raise KeyboardInterrupt
    assert counts(loader.store) == each(2)
    loader.close()
    loader.store.close()
    put_right(folder)
    loader.store.open()
    assert counts(loader.store) == each(1)


def test_what_was_loaded_before_an_interrupted_load_stays(loader: Loader) -> None:
    for _ in range(4):
        load_a_line(loader)
    first, second = frozen(loader), frozen(loader)
    interrupt(loader, first)
    again = reopened(loader)
    again.load(second)  # another segment than the one that was interrupted
    again.load(first)
    assert counts(again.store) == each(7)
    assert not begun.read(Path(again.store.address.folder))


def test_merged_parts_that_the_disk_cut_off_are_replaced_by_what_they_were_made_of(loader: Loader) -> None:
    for _ in range(3):
        load_a_line(loader)
    store = loader.store
    with files_end_at(CUT_AT):
        store._writer.command("OPTIMIZE TABLE events FINAL")
    with pytest.raises(WritesRefused):
        store.check_disk()
    store.check_disk()
    assert counts(store) == each(4)
    assert counts(reopened(loader).store) == each(4)


def test_a_row_of_small_state_that_the_disk_cut_off_can_be_added_again(store: Store) -> None:
    row: dict[str, Any] = {"digest": "a" * 64, "until": "2026-11-27 00:00:00.000"}
    with files_end_at(200), pytest.raises(WritesRefused):
        store.append("erased", [row], token="once")
    with pytest.raises(WritesRefused):
        store.check_disk()
    for _ in range(2):
        store.append("erased", [row], token="once")
    assert store.read("SELECT count() AS n FROM erased")[0]["n"] == 1


def test_nothing_is_asked_of_an_engine_whose_disk_is_nearly_full(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    seal(loader.folder, a_view())
    with monkeypatch.context() as fake:
        fake.setattr(shutil, "disk_usage", lambda path: usage(1 << 40, 0, SPARE_DISK_BYTES - 1))
        with pytest.raises(StoreAway, match="only 255 MiB are free"):
            loader.step()
        assert loader.backlog()[0] == 1
    loader.step()
    assert counts(loader.store) == each(2)


@pytest.mark.parametrize("again", [False, True], ids=["at the next start", "while it runs"])
def test_a_merged_part_of_which_only_large_files_are_cut_off_gives_way_to_its_sources(
    loader: Loader, again: bool
) -> None:
    """The engine would take it, and drop what it was merged from (found by the crash oracle, seed 128)."""
    store = loader.store
    for _ in range(3):
        load_a_line(loader)
    with store.handle() as client:
        client.command("OPTIMIZE TABLE events FINAL")
        (row,) = client.query(
            "SELECT path FROM system.parts WHERE active AND table = 'events' AND level > 0"
        ).named_results()
    part = Path(row["path"])
    assert not is_cut_off(part)
    if not again:
        store.close()
    data = part / "data.bin"
    os.truncate(data, data.stat().st_size // 2)
    assert is_cut_off(part)
    if again:
        disk = store._disk
        assert disk
        disk._refused -= 1  # as if a write had been refused since
        with pytest.raises(WritesRefused):
            store.check_disk()
    else:
        store.open()
    assert not part.exists()
    assert (part.parent / "detached" / f"broken-on-start_{part.name}").exists()
    assert store.read("SELECT count() AS n FROM events")[0]["n"] == 4
    load_a_line(loader)
    assert store.read("SELECT count() AS n FROM events")[0]["n"] == 5
