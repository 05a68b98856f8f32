"""Source maps: uploaded, checked, kept, and asked where a line of a stack came from. Never fetched from anywhere.

A map is only ever parsed by `collector.mapping`, in a process with limits of its own that is killed when its time is up:
the door goes on acknowledging whatever somebody uploads.
"""

import json
import re
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from collector import audit
from collector.mapping import MAX_BYTES, BadMap
from collector.people import Person
from collector.query.sourcemaps import Upload, source_map, source_maps
from collector.store import Store

TIMEOUT_S = 20.0
FRAMES, LONGEST_FRAME = 50, 500
REMEMBERED = 4_096
AT_ONCE = threading.BoundedSemaphore(2)  # children at a time: each may take much memory

# V8 writes `at add (https://x/app.js:1:2)` or `at https://x/app.js:1:2`, the others `add@https://x/app.js:1:2`.
_PATTERNS = (
    re.compile(r"\s*at (?:async )?(?:(?P<name>.*?) \()?(?P<file>[^\s()]+?):(?P<line>\d+):(?P<column>\d+)\)?"),
    re.compile(r"(?P<name>[^@]*)@(?P<file>\S+?):(?P<line>\d+):(?P<column>\d+)"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line of a stack came from: `context` is (line number, text) around it, where the map brought its sources."""

    source: str
    line: int
    column: int
    name: str
    context: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack: as it was sent, what it says, and its place if a map knew it."""

    text: str
    function: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack with its places; `missing` are files without a map in this release, `problem` what went wrong with one."""

    frames: tuple[Frame, ...]
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_mapped(self) -> bool:
        """Whether any line has found its place."""
        return any(frame.place for frame in self.frames)


def check(text: bytes) -> dict[str, int]:
    """How many sources and mappings a map has; raises `BadMap`. Blocks, for TIMEOUT_S at the most."""
    found = _child("check", text)
    return {"sources": int(found["sources"]), "mappings": int(found["mappings"])}


def keep(store: Store, person: Person, app: str, release: str, file: str, text: bytes) -> dict[str, int]:
    """Check a map and keep it as the one of `file`, a path, in this release; raises `BadMap` and `StoreAway`."""
    facts = check(text)
    try:
        written = text.decode()
    except UnicodeDecodeError:
        raise BadMap("it is not UTF-8") from None
    audit.record(
        store, person, "source map uploaded", f"{release} {file}", app=app, after={"bytes": len(text), **facts}
    )
    row = {"app": app, "release": release, "file": file, "uploaded_at": datetime.now(UTC), "who": person.name}
    store.append("source_maps", [row | {"bytes": len(text), **facts, "map": written}])
    return facts


def frames_of(stack: str) -> tuple[Frame, ...]:
    """The lines of a stack, those of its causes too."""
    return tuple(_frame(line[:LONGEST_FRAME]) for line in stack.splitlines()[:FRAMES] if line.strip())


def _frame(text: str) -> Frame:
    for pattern in _PATTERNS:
        if found := pattern.fullmatch(text):
            return Frame(
                text.strip(),
                (found["name"] or "").strip(),
                found["file"],
                int(found["line"][:9]),
                int(found["column"][:9]),
            )
    return Frame(text.strip())


class Maps:
    """Finds places, and remembers those it has found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[tuple[Any, ...], Place | None] = OrderedDict()
        self._lock = threading.Lock()

    def stack(self, app: str, release: str, text: str) -> Stack:
        """A stack with the places its lines came from. Blocks; a map that cannot be read is a `problem`, not an error."""
        frames = frames_of(text)
        files = list(dict.fromkeys(frame.file for frame in frames if frame.file))
        uploads = source_maps(self._store, app, release) if files and release else []
        problem, missing = "", []
        for file in files:
            upload = _upload_of(file, uploads)
            if upload is None:
                missing.append(file)
                continue
            try:
                frames = tuple(self._placed(app, release, file, upload, frames))
            except BadMap as error:
                problem = f"The map of {upload.file} cannot be used: {error}."
        return Stack(frames, tuple(missing), problem)

    def _placed(self, app: str, release: str, file: str, upload: Upload, frames: Sequence[Frame]) -> Iterator[Frame]:
        key = (app, release, upload.file, upload.uploaded_at)
        own = [frame for frame in frames if frame.file == file]
        with self._lock:
            wanted = [(f.line, f.column) for f in own if (*key, f.line, f.column) not in self._known]
        if wanted:
            found = _child("look", source_map(self._store, app, release, upload.file), wanted)
            self._remember({(*key, *at): _place(answer) for at, answer in zip(wanted, found, strict=True)})
        with self._lock:
            places = {(f.line, f.column): self._known.get((*key, f.line, f.column)) for f in own}
        for frame in frames:
            yield replace(frame, place=places.get((frame.line, frame.column))) if frame.file == file else frame

    def _remember(self, places: dict[tuple[Any, ...], Place | None]) -> None:
        with self._lock:
            self._known |= places
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def _place(found: dict[str, Any] | None) -> Place | None:
    if found is None:
        return None
    return Place(**found | {"context": tuple((int(nr), str(text)) for nr, text in found["context"])})


def _upload_of(file: str, uploads: Sequence[Upload]) -> Upload | None:
    """The map of a script: by its path, or else by its name where that is the release's only one."""
    path = path_of(file)
    name = path.rpartition("/")[2]
    exact = [upload for upload in uploads if upload.file == path]
    alike = [upload for upload in uploads if upload.file.rpartition("/")[2] == name]
    return exact[0] if exact else (alike[0] if len(alike) == 1 else None)


def path_of(file: str) -> str:
    """A script's address without host, query and fragment."""
    try:
        return urlsplit(file).path
    except ValueError:
        return file


def _child(mode: str, text: bytes, places: Sequence[tuple[int, int]] = ()) -> Any:
    if len(text) > MAX_BYTES:
        raise BadMap(f"it has {len(text):,} bytes, and at most {MAX_BYTES:,} are read")
    asked = json.dumps(places).encode() + b"\n" if mode == "look" else b""
    command = [sys.executable, "-m", "collector.mapping", mode]
    if not AT_ONCE.acquire(timeout=TIMEOUT_S):
        raise BadMap("too many maps are being read at once; try again in a moment")
    try:
        done = subprocess.run(command, input=asked + text, capture_output=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BadMap(f"reading it took longer than {TIMEOUT_S:g} s") from None
    finally:
        AT_ONCE.release()
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BadMap(said[-1][:300] if said and done.returncode == 1 else "reading it took more than it is given")
    return json.loads(done.stdout)
