"""Durable: files that are on the disk, name and all, when the call returns."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that is on disk when this returns, name and all."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make creations, renames and deletions in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
