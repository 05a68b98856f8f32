"""Begun: a load that was interrupted is undone before it is tried again.

The engine writes a segment's token before the part it stands for, and syncs the part alone. So after a kill, a power cut or
a full disk a token may be there without its rows, or rows without their token. Hence a note before each load, of how far
every table had come; who finds the note of a load that was not finished has the store go back there first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from collector.spool import sync_folder, write_durably
from collector.store import Blocks, Store, WritesRefused

NOTE = "begun.json"


class _Note(msgspec.Struct):
    segment: str
    blocks: Blocks


class Begun:
    """The note of the load that is under way, in the spool's folder."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._path = folder / NOTE
        self._store = store
        self._in_doubt = True  # until the note of an earlier process has been read

    @contextmanager
    def load(self, segment: str) -> Iterator[None]:
        """Around insert and remembering. When it fails while the engine is well, its token alone tells what is there."""
        note = self._unfinished()
        if note and (self._in_doubt or note.segment != segment):
            self._store.undo(note.blocks)
            note = None
        self._in_doubt = False
        if not note:
            self._write_down(segment)
        try:
            yield
        except WritesRefused:
            self._in_doubt = True
            raise
        self._path.unlink(missing_ok=True)

    def _write_down(self, segment: str) -> None:
        blocks = self._store.newest_blocks()
        if blocks:
            draft = self._path.with_suffix(".draft")
            write_durably(draft, msgspec.json.encode(_Note(segment, blocks)))
            draft.replace(self._path)
            sync_folder(self._path.parent)

    def _unfinished(self) -> _Note | None:
        if not self._path.exists():
            return None
        note = msgspec.json.decode(self._path.read_bytes(), type=_Note)
        return None if self._store.knows_segment(note.segment) else note
