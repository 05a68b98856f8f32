"""Spool: rows on disk until the store has them.

`append()` returns when the line's bytes are durable. Lines go to one open file through one writer thread, which commits
whatever has gathered while its last fsync ran. A file is sealed by size or age; from then on it belongs to the loader.
After a failed write or fsync the file is cut back to what was durable and abandoned, and every waiter is refused: a
later fsync that succeeds proves nothing about the earlier bytes (https://lwn.net/Articles/752063/).
"""

import asyncio
import fcntl
import logging
import os
import re
import secrets
import shutil
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from collector.durable import sync_folder
from collector.outcomes import Outcome, Refused

log = logging.getLogger("farside.spool")

SEAL_BYTES = 4 << 20
SEAL_LINES = 8_000
PENDING_BYTES = 64 << 20
SPARE_DISK_BYTES = 64 << 20

OPEN, SEALED, SEGMENT = ".open", ".sealed", ".segment"
LOADER_LOCK = "loader.lock"

# {"checksum":"0a1b2c3d","line_id":"…32 hex…","received_at":1790000000000,…}: everything before the payload is at a fixed
# place, so that freezing a file never has to parse a line.
_PREFIX = re.compile(rb'\{"checksum":"[0-9a-f]{8}","line_id":"[0-9a-f]{32}","received_at":\d{13},')
_CHECKSUM, _CHECKED, _LINE_ID, _RECEIVED_AT = slice(13, 21), slice(23, None), slice(34, 66), slice(82, 95)


class Prefix(NamedTuple):
    """What the loader knows of a line without reading it; `received_at` in ms since 1970."""

    line_id: str
    received_at: int


def checksummed(row: bytes) -> bytes:
    """One JSON object that starts with `line_id` and `received_at` → the line as it is spooled."""
    rest = row[1:]
    return b'{"checksum":"%08x",%b\n' % (zlib.crc32(rest), rest)


def line_id_of(line: bytes) -> str:
    """The id of a line without its newline, empty when the line is torn."""
    if _PREFIX.match(line) and line[_CHECKSUM] == b"%08x" % zlib.crc32(line[_CHECKED]):
        return line[_LINE_ID].decode()
    return ""


def prefix_of(line: bytes) -> Prefix | None:
    """The fixed prefix of a line without its newline, or None when the line is torn."""
    line_id = line_id_of(line)
    return Prefix(line_id, int(line[_RECEIVED_AT])) if line_id else None


def received_times(segment: bytes) -> list[int]:
    """When each line of a segment was received, in ms since 1970. Checksums were looked at when it was frozen; here the
    time is read by its place, and what has none there (a blank line in one that somebody replays) is passed over."""
    return [int(ms) for line in segment.split(b"\n") if (ms := line[_RECEIVED_AT]).isdigit()]


def lock_loader(folder: Path, give_up: Callable[[], bool] = lambda: True) -> int | None:
    """Become the one process that loads from this folder: a descriptor to close at the end, None when another does.

    Two loaders would take files from under each other. While there is another, `give_up` is asked again and again.
    """
    fd = os.open(folder / LOADER_LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    is_told = False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if give_up():
                os.close(fd)
                return None
            if not is_told:
                log.warning("Another process loads from %s; waiting for it to end", folder)
            is_told = True
        else:
            return fd


# Called with None when a line is durable, else with why it is not.
Settle = Callable[[Refused | None], None]


def _settle_each(batch: list[tuple[bytes, Settle]], refusal: Refused | None) -> None:
    for _, settle in batch:
        try:
            settle(refusal)
        except Exception:
            log.exception("A line is settled, but whoever waited could not be told")


class _File:
    """The file being written: created, locked, and as long as `durable` bytes for sure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        while True:
            self.path = folder / (secrets.token_hex(16) + OPEN)
            self.fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            # A lock says that a living door writes here; the loader takes over files without one. Between our open and
            # our lock it may have done so already: then the name is gone and we start another file.
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            if self.path.exists():
                break
            os.close(self.fd)
        sync_folder(folder)
        self.durable = 0
        self.lines = 0
        self.opened_at = time.monotonic()

    def commit(self, lines: list[bytes]) -> None:
        data = memoryview(b"".join(lines))
        size = len(data)
        while data:
            data = data[os.write(self.fd, data) :]
        os.fdatasync(self.fd)
        self.durable += size
        self.lines += len(lines)

    def seal(self) -> None:
        """Hand the file to the loader, cut to its durable length; a file without a line just goes."""
        try:
            if os.fstat(self.fd).st_size != self.durable:
                os.ftruncate(self.fd, self.durable)
                os.fdatasync(self.fd)
            if self.durable:
                self.path.rename(self.path.with_suffix(SEALED))
            else:
                self.path.unlink()
            sync_folder(self.folder)
        finally:
            os.close(self.fd)


class Spool:
    """The door's end of the spool folder. One per process; any number of processes share a folder."""

    def __init__(self, folder: Path, *, cap_bytes: int, seal_after_s: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._cap_bytes = cap_bytes
        self._seal_after_s = seal_after_s
        self._waiting: deque[tuple[bytes, Settle]] = deque()
        # What came in is counted by the loop alone and what was taken by the writer alone, so that neither needs a lock.
        self._came_bytes = self._taken_bytes = 0
        self._wake = threading.Condition()
        self._asleep = False
        self._closing = False
        self._full = False
        self._failed = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write_forever, name="spool-writer", daemon=True)

    def start(self) -> None:
        """Begin to write; to be called within the event loop that will append."""
        self._loop = asyncio.get_running_loop()
        self._measure()
        try:
            _File(self.folder).seal()
        except OSError as error:
            self._failed = str(error)
        self._thread.start()

    async def append(self, line: bytes) -> None:
        """Return when the line is durable; raises `Refused` (busy, spool_full, spool_failed) when it is not kept."""
        durable = asyncio.get_running_loop().create_future()

        def settle(refusal: Refused | None) -> None:
            if durable.done():  # whoever waited has gone
                return
            if refusal:
                durable.set_exception(refusal)
            else:
                durable.set_result(None)

        self.put(line, settle)
        await durable

    def put(self, line: bytes, settle: Settle) -> None:
        """Have `settle` called in the event loop when the line is durable, or with why it is not kept; raises `Refused`
        when that is known at once."""
        if self._closing:
            raise Refused(Outcome.BUSY, "the collector is shutting down")
        if self._full:
            raise Refused(Outcome.SPOOL_FULL, f"over {self._cap_bytes >> 20} MiB wait for the store")
        if self._came_bytes - self._taken_bytes + len(line) > PENDING_BYTES:
            raise Refused(Outcome.BUSY, f"over {PENDING_BYTES >> 20} MiB wait for the disk")
        self._came_bytes += len(line)
        self._waiting.append((line, settle))
        # The writer says that it sleeps before it looks for lines a last time, so it sees this one or is woken.
        if self._asleep:
            with self._wake:
                self._wake.notify()

    def problem(self) -> str:
        """Why beacons cannot be kept now, in a sentence; empty when they can."""
        if self._full:
            return f"the spool has reached its cap of {self._cap_bytes >> 20} MiB, or the disk is nearly full"
        return f"the disk refused the last write: {self._failed}" if self._failed else ""

    def close(self) -> None:
        """Write what waits, seal the file and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    # The writer's thread.

    def _write_forever(self) -> None:
        file: _File | None = None
        measured_at = 0.0
        while True:
            if not self._waiting and not self._closing:
                self._sleep(self._patience(file))
            batch = self._take()
            if batch:
                file = self._keep(file, batch)
            if file and self._is_due(file):
                self._seal(file)
                file = None
            if time.monotonic() - measured_at > 1:
                measured_at = time.monotonic()
                self._measure()
            if self._closing and not self._waiting:
                if file:
                    self._seal(file)
                return

    def _patience(self, file: _File | None) -> float:
        """How long to sleep unless a line comes: until the file is due, and never long."""
        if file is None or not file.lines:
            return 1.0
        return max(0.0, min(1.0, file.opened_at + self._seal_after_s - time.monotonic()))

    def _sleep(self, seconds: float) -> None:
        with self._wake:
            self._asleep = True
            if not self._waiting and not self._closing:
                self._wake.wait(seconds)
            self._asleep = False

    def _take(self) -> list[tuple[bytes, Settle]]:
        batch: list[tuple[bytes, Settle]] = []
        size = 0
        while self._waiting and size < SEAL_BYTES and len(batch) < SEAL_LINES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        self._taken_bytes += size
        return batch

    def _keep(self, file: _File | None, batch: list[tuple[bytes, Settle]]) -> _File | None:
        lines = [line for line, _ in batch]
        try:
            if file and (file.durable + sum(map(len, lines)) > SEAL_BYTES or file.lines + len(lines) > SEAL_LINES):
                self._seal(file)
                file = None
            file = file or _File(self.folder)
            file.commit(lines)
        except OSError as error:
            log.error("Refusing %d beacons, the disk refused the write: %s", len(batch), error)
            self._failed = str(error)
            self._settle(batch, Refused(Outcome.SPOOL_FAILED, str(error)))
            if file:
                self._seal(file)
            return None
        self._failed = ""
        self._settle(batch, None)
        return file

    def _settle(self, batch: list[tuple[bytes, Settle]], refusal: Refused | None) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_settle_each, batch, refusal)

    def _is_due(self, file: _File) -> bool:
        age = time.monotonic() - file.opened_at
        return file.lines >= SEAL_LINES or file.durable >= SEAL_BYTES or (file.lines > 0 and age >= self._seal_after_s)

    def _seal(self, file: _File) -> None:
        try:
            file.seal()
        except OSError as error:
            # The loader adopts the file as an orphan: its lock went with its descriptor, torn lines fail their checksum.
            log.error("Could not seal %s: %s", file.path.name, error)

    def _measure(self) -> None:
        try:
            self._full = self._used() > self._cap_bytes or shutil.disk_usage(self.folder).free < SPARE_DISK_BYTES
        except OSError as error:  # a write will say so too, to whom it concerns; this thread has to outlive it
            log.error("Cannot look at the spool's folder: %s", error)

    def _used(self) -> int:
        used = 0
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    used += entry.stat().st_size
                except FileNotFoundError:  # the loader has just finished with it
                    continue
        return used
