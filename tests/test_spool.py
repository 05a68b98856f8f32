"""The spool's promise: what it acknowledged can be read back, what it could not keep it refused."""

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from collector.outcomes import Outcome, Refused
from collector.spool import Spool, checksummed, prefix_of, received_times


def line(number: int, size: int = 0) -> bytes:
    row = b'{"line_id":"%032x","received_at":1790000000000,"app":"%s"}' % (number, b"x" * size)
    return checksummed(row)


def lines_in(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.iterdir()):
        for text in path.read_bytes().split(b"\n"):
            prefix = prefix_of(text)
            if prefix:
                found.append(prefix.line_id)
    return found


def with_spool(folder: Path, use: Callable[[Spool], Awaitable[None]], **options: float) -> None:
    async def main() -> None:
        spool = Spool(folder, **{"cap_bytes": 1 << 30, "seal_after_s": 0.05} | options)  # type: ignore[arg-type]
        spool.start()
        try:
            await use(spool)
        finally:
            spool.close()

    asyncio.run(main())


def test_what_was_acknowledged_is_on_disk_at_that_moment(tmp_path: Path) -> None:
    async def use(spool: Spool) -> None:
        for number in range(20):
            await spool.append(line(number))
            assert f"{number:032x}" in lines_in(tmp_path)

    with_spool(tmp_path, use)


def test_many_at_once_share_a_commit_and_none_is_missing(tmp_path: Path) -> None:
    async def use(spool: Spool) -> None:
        await asyncio.gather(*(spool.append(line(number)) for number in range(3_000)))

    with_spool(tmp_path, use)
    assert sorted(lines_in(tmp_path)) == [f"{number:032x}" for number in range(3_000)]


def test_files_are_sealed_by_size(tmp_path: Path) -> None:
    async def use(spool: Spool) -> None:
        for number in range(12):
            await spool.append(line(number, size=1 << 20))

    with_spool(tmp_path, use, seal_after_s=3600)
    sealed = [path.stat().st_size for path in tmp_path.glob("*.sealed")]
    assert len(sealed) == 4
    assert max(sealed) <= 4 << 20
    assert len(lines_in(tmp_path)) == 12


def test_over_its_cap_it_says_so_and_recovers(tmp_path: Path) -> None:
    async def use(spool: Spool) -> None:
        await spool.append(line(1, size=3 << 20))
        await asyncio.sleep(1.3)
        assert "cap" in spool.problem()
        with pytest.raises(Refused) as refusal:
            await spool.append(line(2))
        assert refusal.value.outcome is Outcome.SPOOL_FULL
        for path in tmp_path.glob("*.sealed"):
            path.unlink()
        await asyncio.sleep(1.3)
        assert spool.problem() == ""
        await spool.append(line(3))

    with_spool(tmp_path, use, cap_bytes=2 << 20)
    assert lines_in(tmp_path) == [f"{3:032x}"]


def test_a_disk_that_refuses_the_write_refuses_the_waiters_and_keeps_the_rest(tmp_path: Path) -> None:
    """A file size limit is a disk that fails in the middle of a write: half the bytes land, then EFBIG."""
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:

        async def use(spool: Spool) -> None:
            await spool.append(line(1, size=50_000))
            resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, limits[1]))
            with pytest.raises(Refused) as refusal:
                await spool.append(line(2, size=50_000))
            assert refusal.value.outcome is Outcome.SPOOL_FAILED
            assert spool.problem()
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            await spool.append(line(3))
            assert spool.problem() == ""

        with_spool(tmp_path, use, seal_after_s=3600)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert sorted(lines_in(tmp_path)) == [f"{1:032x}", f"{3:032x}"]
    assert all(path.stat().st_size < 60_000 for path in tmp_path.iterdir()), "the torn tail was cut off"


def test_the_writer_outlives_a_folder_that_is_away_while_it_is_measured(tmp_path: Path) -> None:
    folder = tmp_path / "spool"

    async def use(spool: Spool) -> None:
        await spool.append(line(1))
        folder.rename(tmp_path / "elsewhere")
        await asyncio.sleep(2.5)  # it is measured once a second
        (tmp_path / "elsewhere").rename(folder)
        await asyncio.wait_for(spool.append(line(2)), 10)

    with_spool(folder, use, seal_after_s=3600)
    assert lines_in(folder) == [f"{1:032x}", f"{2:032x}"]


def test_a_folder_that_cannot_be_written_is_a_refusal_not_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "spool"

    async def use(spool: Spool) -> None:
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(Refused) as refusal:
            await spool.append(line(1))
        assert refusal.value.outcome is Outcome.SPOOL_FAILED
        (tmp_path / "elsewhere").rename(folder)
        await spool.append(line(2))

    with_spool(folder, use, seal_after_s=3600)
    assert lines_in(folder) == [f"{2:032x}"]


def test_a_line_with_one_bit_flipped_is_torn() -> None:
    whole = line(5).rstrip(b"\n")
    assert prefix_of(whole)
    for position in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[position] ^= 1
        assert prefix_of(bytes(broken)) is None, position


def test_when_lines_were_received_stands_at_one_place() -> None:
    times = (1_790_000_000_002, 1_790_000_000_000, 1_790_000_000_001)
    lines = [checksummed(b'{"line_id":"%032x","received_at":%d,"app":"demo"}' % (ms, ms)) for ms in times]
    assert [prefix.received_at for line in lines if (prefix := prefix_of(line.rstrip(b"\n")))] == list(times)
    assert received_times(b"".join(lines) + b"\n{}\n") == list(times)
