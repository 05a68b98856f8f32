"""Parts: the folders that the embedded engine writes its rows into, looked at before it reads them.

Where the disk cut off large files of a part and left the small ones whole, the engine takes the part for good at the next
start, and drops the parts that it was merged from. Each part says how long its files are (`checksums.txt`).
"""

import logging
import re
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

import lz4.block  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

log = logging.getLogger("farside.store")

_NAME = re.compile(r"[0-9a-z]+_\d+_\d+_\d+(?:_\d+)?")
_HEAD = b"checksums format version: 4\n"
_BLOCK = 16 + 9  # a checksum; method, length with this head, length of what it holds
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90


def set_aside_in(folder: Path) -> None:
    """Set cut off parts of every table aside, in the folder of an engine that is not open yet."""
    for table in sorted((folder / "store").glob("*/*")):
        set_aside(table)


def set_aside(table: Path) -> None:
    """Move parts of a table that are cut off to its `detached`, as the engine does with those that it cannot read, so that
    what they were merged from is there again. Only while no engine has the table."""
    for part in sorted(table.iterdir()) if table.is_dir() else []:
        if _NAME.fullmatch(part.name) and is_cut_off(part):
            target = _free(table / "detached" / f"broken-on-start_{part.name}")
            target.parent.mkdir(exist_ok=True)
            part.rename(target)
            log.warning(
                "The disk cut part %s off, so it was set aside: %s. What it was merged from is read instead, and what was"
                " being loaded comes again; delete it when the disk is sound", part.name, target,
            )  # fmt: skip


def _free(target: Path) -> Path:
    """The name, or the first after it that nothing bears, numbered as the engine does."""
    tries = (target.with_name(f"{target.name}_try{nr}") for nr in count(1))
    return next(name for name in chain([target], tries) if not name.exists())


def is_cut_off(part: Path) -> bool:
    """Whether a file of a part is not as long as the part says; what says nothing that can be read is left to the engine."""
    try:
        sizes = dict(_sizes((part / "checksums.txt").read_bytes()))
    except (OSError, ValueError, IndexError, zstd.ZstdError, lz4.block.LZ4BlockError):
        return False
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
    if not text.startswith(_HEAD):
        raise ValueError("not of the version that is known")
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
            raise ValueError(f"compressed by method {method}, which is not known")
    return b"".join(found)
