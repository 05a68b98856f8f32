"""Parts: the folders that the embedded engine writes its rows into, looked at before it reads them.

Where the disk cut off large files of a part and left the small ones whole, the engine takes the part for good at the next
start, and drops the parts that it was merged from. Each part says how long its files are (`checksums.txt`).
"""

import logging
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import lz4.block  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

log = logging.getLogger("farside.store")

_NAME = re.compile(r"([0-9a-z]+)_(\d+)_(\d+)_(\d+)(?:_(\d+))?")
_HEAD = b"checksums format version: 4\n"
_BLOCK = 16 + 9  # a checksum; method, length with this head, length of what it holds
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90


class _FormatError(Exception):
    """Of a newer engine, which has to look for itself."""


class Part(NamedTuple):
    """Rows of one partition, from one block to another; of two with the same blocks the greater has replaced the other."""

    partition: str
    oldest: int
    newest: int
    level: int
    mutation: int
    path: Path

    @property
    def rows(self) -> int:
        """How many there are, as the part says itself."""
        return int((self.path / "count.txt").read_text())

    def is_within(self, other: "Part") -> bool:
        """Whether the other's blocks are this one's too."""
        return self.partition == other.partition and other.oldest <= self.oldest and self.newest <= other.newest


def folder_of(folder: Path, own: str) -> Path:
    """Of a table, by its UUID, in the folder of an engine."""
    return folder / "store" / own[:3] / own


def parts_in(table: Path) -> list[Part]:
    """Every part in a table's folder, those too that others have replaced."""
    found = []
    for path in sorted(table.iterdir()) if table.is_dir() else []:
        if match := _NAME.fullmatch(path.name):
            oldest, newest, level, mutation = (int(number or 0) for number in match.groups()[1:])
            found.append(Part(match[1], oldest, newest, level, mutation, path))
    return found


def set_aside_in(folder: Path) -> None:
    """Set cut off parts of every table aside, in the folder of an engine that is not open yet."""
    for table in sorted((folder / "store").glob("*/*")):
        set_aside(table)


def set_aside(table: Path) -> None:
    """Move parts of a table that are cut off to its `detached`, as the engine does with those that it cannot read, so that
    what they were merged from is there again, and let what they held come again. Only while no engine has the table."""
    for part in parts_in(table):
        if is_cut_off(part.path):
            target = _free(table / "detached" / f"broken-on-start_{part.path.name}")
            target.parent.mkdir(exist_ok=True)
            part.path.rename(target)
            log.warning(
                "The disk cut part %s off, so it was set aside: %s. What it was merged from is read instead, and what was"
                " being loaded comes again; delete it when the disk is sound", part.path.name, target,
            )  # fmt: skip
            forget_tokens(table)


def forget_tokens(table: Path) -> None:
    """Of what is loaded the name is known anyway; a token counts only while something is being loaded."""
    shutil.rmtree(table / "deduplication_logs", ignore_errors=True)


def _free(target: Path) -> Path:
    """The name, or the first after it that nothing bears, numbered as the engine does."""
    tries = (target.with_name(f"{target.name}_try{nr}") for nr in count(1))
    return next(name for name in chain([target], tries) if not name.exists())


def is_cut_off(part: Path) -> bool:
    """Whether a file of a part is not as long as the part says, or what it says is cut off itself."""
    try:
        sizes = dict(_sizes((part / "checksums.txt").read_bytes()))
    except _FormatError:
        return False
    except (FileNotFoundError, ValueError, IndexError, zstd.ZstdError, lz4.block.LZ4BlockError):
        return True
    for name, size in sizes.items():
        file = part / name
        if file.is_dir():  # a projection says for itself
            if is_cut_off(file):
                return True
        elif not file.exists() or file.stat().st_size != size:
            return True
    return False


def _sizes(text: bytes) -> Iterator[tuple[str, int]]:
    """The files of a part and their lengths: for each a name, a length, a hash, and both again if it is compressed."""
    if not text.startswith(_HEAD) and not _HEAD.startswith(text):
        raise _FormatError
    data, at = _unpacked(text[len(_HEAD) :]), 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    for _ in range(number()):
        length = number()
        name = data[at : at + length].decode()
        at += length
        size = number()
        at += 16
        is_compressed = data[at]
        at += 1
        if is_compressed:
            number()
            at += 16
        yield name, size


def _unpacked(packed: bytes) -> bytes:
    """Blocks of the engine's own compressed format, one after another."""
    found = []
    while packed:
        method, whole, length = packed[16], *(int.from_bytes(packed[n : n + 4], "little") for n in (17, 21))
        block, packed = packed[_BLOCK : 16 + whole], packed[16 + whole :]
        if method == _ZSTD:
            found.append(zstd.decompress(block))
        elif method == _LZ4:
            found.append(lz4.block.decompress(block, uncompressed_size=length))
        elif method == _NONE:
            found.append(block)
        else:
            raise _FormatError
    return b"".join(found)
