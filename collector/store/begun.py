"""Begun: a load that was interrupted is taken back, file by file, before anything is loaded again.

The engine writes a segment's token before the part it stands for, and syncs the part alone. So after a kill, a power cut or
a full disk a token may be there without its rows, or rows without their token. Hence a note before each load, of how far
every table had come; who finds the note of a load that was not finished takes out what came later, tokens included, while
the engine does not have the tables. It may have merged some of that with older parts: such a part goes as well, for what
it was merged from stays on the disk for eight minutes (`old_parts_lifetime`), and no note of a living process grows as old.
"""

import logging
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from collector.durable import sync_folder, write_durably
from collector.store import parts
from collector.store.parts import Part

log = logging.getLogger("farside.store")

NOTE = "begun.json"
OLDEST_S = 240

# The UUID of a table → the newest block of each of its partitions.
Blocks = dict[str, dict[str, int]]


class Note(msgspec.Struct):
    """Of the load that is under way: how far the tables had come at a time, in s since 1970."""

    segment: str
    at_s: float
    blocks: Blocks

    @property
    def is_old(self) -> bool:
        """Whether what was merged since may soon be gone from the disk."""
        return not 0 <= time.time() - self.at_s <= OLDEST_S


def read(folder: Path) -> Note | None:
    """The note in the folder of an engine, if a load has not come to its end."""
    path = folder / NOTE
    return msgspec.json.decode(path.read_bytes(), type=Note) if path.exists() else None


def write(folder: Path, segment: str, blocks: Blocks) -> Note:
    """Leave a note that outlives a power cut."""
    note = Note(segment, time.time(), blocks)
    draft = folder / f"{NOTE}.draft"
    write_durably(draft, msgspec.json.encode(note))
    draft.replace(folder / NOTE)
    sync_folder(folder)
    return note


def remove(folder: Path) -> None:
    """The load is done. Durable, or a note that came back would take out what was loaded for good."""
    (folder / NOTE).unlink(missing_ok=True)
    sync_folder(folder)


def take_back(table: Path, newest: dict[str, int]) -> None:
    """Take out of a table's folder what came after these blocks, while the engine does not have the table.

    Should a part be there that holds some of it and cannot be replaced, all stays, and the tokens with it.
    """
    there = parts.parts_in(table)
    later = [part for part in there if part.newest > newest.get(part.partition, -1)]
    merged = [part for part in later if part.oldest <= newest.get(part.partition, -1)]
    sources = [part for part in there if part not in merged]
    for part in merged:
        if not _is_made_of(part, sources):
            log.error(
                "Part %s holds some of an interrupted load, and what it was merged from is gone: it stays, and only its"
                " token keeps the same rows from coming twice", part.path,
            )  # fmt: skip
            return
    for part in later:
        log.warning("Taking out part %s: it came with a load that was interrupted", part.path)
        gone = part.path.with_name(f"delete_tmp_{part.path.name}")  # the engine removes such when it opens the table
        shutil.rmtree(gone, ignore_errors=True)
        part.path.rename(gone)
        shutil.rmtree(gone)
    parts.forget_tokens(table)
    sync_folder(table)


def _is_made_of(merged: Part, sources: Iterable[Part]) -> bool:
    """Whether sources from its oldest block to its newest are there, with no fewer rows."""
    rows = {(part.oldest, part.newest): part.rows for part in sorted(sources) if part.is_within(merged)}
    whole = [own for own in rows if not any(a <= own[0] and own[1] <= b for a, b in rows if (a, b) != own)]
    return bool(whole) and (
        min(oldest for oldest, _ in whole) == merged.oldest
        and max(newest for _, newest in whole) == merged.newest
        and sum(rows[own] for own in whole) >= merged.rows
    )
