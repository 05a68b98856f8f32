"""Load: files of the spool → rows in the store, each line exactly once.

Sealed files are frozen into a segment that bears the random name of the first: torn lines go by their checksum, repeats
by their id, lines the store cannot take go to quarantine with their reason. From then on its bytes never change. They are
shipped under their name as deduplication token, again and again until the store acknowledges, and only then deleted. Its
name stays in table `segments`, so that nothing is ever loaded twice.
"""

import fcntl
import hashlib
import logging
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from collector import erasure
from collector.durable import sync_folder, write_durably
from collector.heads import app_and, events_in, refused_in
from collector.outcomes import Outcome
from collector.routes import write_learned
from collector.seen import Seen
from collector.spool import OPEN, SEALED, SEGMENT, checksummed, line_id_of, lock_loader, prefix_of, received_times
from collector.store import Store, StoreAway
from collector.store.erase import Erased

log = logging.getLogger("farside.load")

SOURCES = ".sources"
# A segment costs the engine about 0.15 s of one core however small it is (planning the views, twice; bench/segment.py), so
# the loader rests twice as long as it worked: files gather meanwhile and become one segment. Behind, it does not rest.
PAUSE_S = (0.1, 0.5)
# One pass of the engine over 16 MiB costs little more than over four, and is still one block.
SEGMENT_BYTES = 16 << 20
BEHIND_THE_DOOR = 5
BACK_OFF_S = (0.2, 0.5, 1, 2)
GRACE_MS = 200
REMEMBERED_MS = 24 * 3_600_000
LEARN_EVERY_MS = 60_000
CHECK_EVERY_MS = 60_000
ROUTES = """
    SELECT app, route FROM events
    WHERE type = 'view' AND received_at > now() - INTERVAL 30 DAY
    GROUP BY app, route ORDER BY count() DESC LIMIT 2000 BY app
"""


class _Line(NamedTuple):
    data: bytes
    file: str


class Loader:
    """The one loader of a spool folder: a loop on a thread, or `step()` by hand in tests."""

    def __init__(self, folder: Path, store: Store, clock: Callable[[], float] = time.time) -> None:
        """`folder` is the spool's; what is learned of routes is written to `routes.json` beside it."""
        self.folder = folder
        self.store = store
        self._clock = clock
        self._quarantine = folder / "quarantine"
        self._quarantine.mkdir(parents=True, exist_ok=True)
        self._seen = Seen(folder / "seen.sqlite3")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._erased = Erased()
        self._forgot_ms = 0
        self._checked_ms = self._now_ms()
        self._learned_ms = 0
        self.watermark_ms = self._now_ms()
        self.away_since_ms = 0
        self.away_because = ""

    # The life of the loader.

    def start(self) -> None:
        """Load what is there, then go on in the background."""
        self._thread = threading.Thread(target=self._run, name="loader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what is sealed if the store answers, and stop."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._seen.close()

    def _run(self) -> None:
        yield_to_the_door()
        lock = lock_loader(self.folder, give_up=lambda: self._stop.wait(PAUSE_S[0]))
        if lock is not None:
            self._load_until_stopped()
            os.close(lock)

    def _load_until_stopped(self) -> None:
        failures = 0
        while True:
            stopping = self._stop.is_set()
            began = time.monotonic()
            loaded = 0
            try:
                loaded = self.step()
                failures = 0
            except StoreAway as error:
                failures += 1
                log.warning("The store is away, %s; beacons wait in the spool", error)
            except Exception:
                failures += 1
                log.exception("The loader failed; it will try again")
            if stopping:
                return
            rest_s = min(max(PAUSE_S[0], 2 * (time.monotonic() - began)), PAUSE_S[1]) if loaded < 2 else 0
            self._stop.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1] if failures else rest_s)

    def step(self) -> int:
        """Load everything that is sealed by now; returns the number of segments. Raises `StoreAway`."""
        started_ms = self._now_ms()
        loaded = 0
        try:
            self._finish_interrupted()
            self._adopt_orphans()
            for files in self._grouped(self._oldest_first(SEALED)):
                self.freeze(files)
            waiting = self._oldest_first(SEGMENT)
            if waiting:
                self._erased = self.store.erased()
            for path in waiting:
                loaded += self.load(path)
            erasure.answer_requests(self.store, self.folder)
            if started_ms - self._checked_ms > CHECK_EVERY_MS:
                self._checked_ms = started_ms
                self.store.check_disk()
        except StoreAway as error:
            self.away_since_ms = self.away_since_ms or started_ms
            self.away_because = str(error)
            raise
        self.away_since_ms, self.away_because = 0, ""
        self._advance_watermark(started_ms)
        if started_ms - self._forgot_ms > 3_600_000:
            self._forgot_ms = started_ms
            self._seen.forget(started_ms - REMEMBERED_MS)
        if loaded and started_ms - self._learned_ms > LEARN_EVERY_MS:
            self._learned_ms = started_ms
            self.learn_routes()
        return loaded

    def learn_routes(self) -> None:
        """Write down the routes the store holds, for doors to agree on and to know after a restart."""
        found: dict[str, list[str]] = {}
        for row in self.store.read(ROUTES):
            found.setdefault(row["app"], []).append(row["route"])
        write_learned(self.folder.parent / "routes.json", found)

    # Files into a segment, a segment into the store.

    def freeze(self, sealed: Sequence[Path]) -> Path | None:
        """Sealed files → one segment, whose bytes never change again; None when no line was left.

        May be interrupted anywhere: until the segment has its name nothing has happened that is not done again in the
        same way, and from then on `.sources` tells which files are in it.
        """
        name = sealed[0].stem
        segment, sources = self.folder / (name + SEGMENT), self.folder / (name + SOURCES)
        counted: Counter[tuple[str, Outcome]] = Counter()
        lines, bad = self._proved(self._first_of_their_id(sealed, counted))
        for line, _ in bad:
            counted[app_and(line.data, Outcome.QUARANTINED)] += events_in(line.data)
        self._put_aside(bad)
        rows = [line.data for line in lines]
        if counted:
            rows.append(self._ledger_line(counted))
        write_durably(sources, "".join(path.name + "\n" for path in sealed).encode())
        if rows:
            draft = segment.with_suffix(".draft")
            write_durably(draft, b"\n".join([*rows, b""]))
            draft.rename(segment)
            sync_folder(self.folder)
        self._remove(sealed, sources)
        return segment if rows else None

    def load(self, segment: Path) -> bool:
        """Ship a segment unless its name is known, then delete it. True when it was new to the store."""
        name = segment.stem
        known = self.store.knows_segment(name)
        if not known:
            data = self._without_erased(segment.read_bytes())
            times = received_times(data)
            with self.store.loading(name):
                self.store.insert(data, token=name)
                self.store.remember_segment(name, len(times), min(times), max(times))
        segment.unlink()
        return not known

    def _without_erased(self, data: bytes) -> bytes:
        """The bytes of a segment but for lines of who was erased since; those become rows of the ledger."""
        if not self._erased:
            return data
        kept, gone = erasure.without_erased(data.splitlines(), self._erased)
        if not gone:
            return data
        counted: Counter[tuple[str, Outcome]] = Counter()
        for line in gone:
            counted[app_and(line, Outcome.ERASED)] += events_in(line)
        return b"".join(line + b"\n" for line in [*kept, self._ledger_line(counted)])

    def _first_of_their_id(self, sealed: Sequence[Path], counted: Counter[tuple[str, Outcome]]) -> list[_Line]:
        now_ms = self._now_ms()
        kept: dict[str, _Line] = {}
        with self._seen.claiming() as seen:
            for path in sealed:
                lines = _whole_lines(path.read_bytes(), counted)
                repeats = seen.claim({line_id for line_id, _ in lines}, path.stem, now_ms)
                for line_id, data in lines:
                    if line_id in kept or line_id in repeats:
                        counted[app_and(data, Outcome.REPEAT)] += events_in(data)
                        counted.update(refused_in(data))
                    else:
                        kept[line_id] = _Line(data, path.stem)
        return list(kept.values())

    def _proved(self, lines: list[_Line]) -> tuple[list[_Line], list[tuple[_Line, str]]]:
        """Lines the store can take, and those it cannot with the reason; halves until it finds them."""
        if not lines:
            return [], []
        reason = self.store.prove(b"\n".join([line.data for line in lines]))
        if not reason:
            return lines, []
        if len(lines) == 1:
            return [], [(lines[0], reason)]
        half = len(lines) // 2
        good_left, bad_left = self._proved(lines[:half])
        good_right, bad_right = self._proved(lines[half:])
        return good_left + good_right, bad_left + bad_right

    def _put_aside(self, bad: list[tuple[_Line, str]]) -> None:
        for file in {line.file for line, _ in bad}:
            own = [(line.data, reason) for line, reason in bad if line.file == file]
            log.error("The store cannot take %d lines, see quarantine/%s.jsonl: %s", len(own), file, own[0][1])
            (self._quarantine / f"{file}.reasons").write_text("".join(reason + "\n" for _, reason in own))
            write_durably(self._quarantine / f"{file}.jsonl", b"".join(data + b"\n" for data, _ in own))

    def _ledger_line(self, counted: Counter[tuple[str, Outcome]]) -> bytes:
        now_ms = self._now_ms()
        rows = [
            {"app": app, "minute": now_ms // 60_000 * 60, "outcome": str(outcome), "n": n}
            for (app, outcome), n in counted.items()
        ]
        row = {"line_id": secrets.token_hex(16), "received_at": now_ms, "outcomes": rows}
        return checksummed(msgspec.json.encode(row)).rstrip(b"\n")

    # The folder.

    def _finish_interrupted(self) -> None:
        """After a crash: remove the sources of a segment that has its name, and forget plans that came to nothing."""
        for sources in list(self._files(SOURCES)):
            if sources.with_suffix(SEGMENT).exists():
                self._remove([self.folder / name for name in sources.read_text().split()], sources)
            else:
                sources.unlink()

    def _remove(self, sealed: Iterable[Path], sources: Path) -> None:
        for path in sealed:
            path.unlink(missing_ok=True)
        sync_folder(self.folder)
        sources.unlink()

    def _grouped(self, sealed: Iterable[Path]) -> Iterator[list[Path]]:
        """Files that go into one segment together: a loader that lags catches up in few large steps."""
        group: list[Path] = []
        size = 0
        for path in sealed:
            own = path.stat().st_size
            if group and size + own > SEGMENT_BYTES:
                yield group
                group, size = [], 0
            group.append(path)
            size += own
        if group:
            yield group

    def _adopt_orphans(self) -> None:
        """Seal files whose door has died: nobody holds their lock."""
        for path in self._files(OPEN):
            try:
                fd = os.open(path, os.O_RDONLY)
            except FileNotFoundError:  # its door has sealed it since it was listed
                continue
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.rename(path.with_suffix(SEALED))
            except (BlockingIOError, FileNotFoundError):
                continue
            finally:
                os.close(fd)

    def _files(self, suffix: str) -> Iterator[Path]:
        return self.folder.glob("*" + suffix)

    def _oldest_first(self, suffix: str) -> list[Path]:
        return [path for _, path in sorted((path.stat().st_mtime_ns, path) for path in self._files(suffix))]

    def _advance_watermark(self, started_ms: int) -> None:
        """Everything received up to here is in the store, but for what a door had in hand just now: hence the grace."""
        waiting = [first for suffix in (OPEN, SEALED, SEGMENT) for p in self._files(suffix) if (first := _first_ms(p))]
        self.watermark_ms = max(self.watermark_ms, min([started_ms - GRACE_MS, *(ms - 1 for ms in waiting)]))

    def backlog(self) -> tuple[int, int]:
        """Files that wait for the store, and their bytes."""
        sizes = []
        for suffix in (SEALED, SEGMENT):
            for path in self._files(suffix):
                # Asked from another thread than the loader's, which may have just finished with the file.
                with suppress(FileNotFoundError):
                    sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def yield_to_the_door() -> None:
    """Rank this thread, and those it starts, behind the door's: when processors are short, acknowledging comes first."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BEHIND_THE_DOOR)


def _whole_lines(data: bytes, counted: Counter[tuple[str, Outcome]]) -> list[tuple[str, bytes]]:
    """A file's lines under their ids; torn ones are only counted."""
    found = []
    for line in data.split(b"\n"):
        if line_id := line_id_of(line):
            found.append((line_id, line))
        elif line:
            counted["", Outcome.TORN] += 1
    return found


def _first_ms(path: Path) -> int:
    """received_at of a file's first line, 0 when there is none yet."""
    try:
        with path.open("rb") as file:
            prefix = prefix_of(file.readline().rstrip(b"\n"))
    except FileNotFoundError:
        return 0
    return prefix.received_at if prefix else 0


def replay(folder: Path, paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """Put segments, or quarantined lines that may pass now, back into a spool folder; returns (path, new name).

    A segment keeps its name, and lines of a quarantine get one made from their bytes: what is already in the store is
    known by its name, however often and however late it is replayed. Works beside a running collector.
    """
    seen = Seen(folder / "seen.sqlite3")
    placed = []
    for path in paths:
        data = path.read_bytes()
        if path.suffix == SEGMENT:
            name, suffix = path.stem, SEGMENT
        else:
            name, suffix = hashlib.sha256(data).hexdigest()[:32], SEALED
            lines = (prefix_of(line) for line in data.split(b"\n"))
            seen.release([prefix.line_id for prefix in lines if prefix], path.stem)
        draft = folder / f"{name}.draft"
        draft.write_bytes(data)
        draft.replace(folder / (name + suffix))
        placed.append((path, name))
    seen.close()
    return placed
