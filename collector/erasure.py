"""Erasure: somebody asks to be forgotten, and is, in the store and in everything that could still be loaded into it.

chDB lets one process open a folder, so beside a running collector the command leaves a request in `<data>/erase`, and the
loader, which alone writes, carries it out between two segments. With nobody at work the command does it itself. Whoever
may write into that folder could as well delete the store: no other right is needed, and no address to protect.
"""

import logging
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from collector import audit
from collector.durable import sync_folder
from collector.people import EDITOR
from collector.people import Person as Caller
from collector.spool import prefix_of
from collector.store import Store, StoreAway
from collector.store.erase import Erased, Person, digest

log = logging.getLogger("farside.erase")

REQUEST, REPLY = ".request", ".reply"
ASK_AGAIN_S = 0.05


class Request(msgspec.Struct):
    """What the command leaves for the loader."""

    kind: str
    id: str
    app: str
    who: str


class Reply(msgspec.Struct):
    """What the loader leaves for the command."""

    rows: dict[str, int] = {}
    sessions: int = 0
    lines: int = 0
    problem: str = ""


class _Owner(msgspec.Struct):
    app: str = ""
    session_id: str = ""
    user_id: str = ""


def without_erased(lines: list[bytes], erased: Erased) -> tuple[list[bytes], list[bytes]]:
    """Lines that may be loaded, and those of somebody who was erased after they had been received."""
    kept: list[bytes] = []
    gone: list[bytes] = []
    for line in lines:
        (gone if _is_covered(line, erased) else kept).append(line)
    return kept, gone


def _is_covered(line: bytes, erased: Erased) -> bool:
    prefix = prefix_of(line.rstrip(b"\n"))
    if prefix is None or b'"session_id":' not in line:
        return False
    try:
        owner = msgspec.json.decode(line, type=_Owner)
    except msgspec.DecodeError:  # that may be why it is in quarantine; it says of nobody that it is theirs
        return False
    received_at = datetime.fromtimestamp(prefix.received_at / 1000, UTC)
    return erased.covers(owner.app, owner.session_id, owner.user_id, received_at)


def carry_out(store: Store, spool: Path, request: Request) -> Reply:
    """Write it down, remember it, take the rows out. Can be done again after a crash. Raises `StoreAway`."""
    person = Person(request.kind, request.id, request.app)
    subject = f"{request.kind} {digest(request.app, request.kind, request.id)}"
    audit.record(store, Caller(request.who, EDITOR, "command line"), "person erased", subject, app=request.app)
    # The last digit of now is not over yet; what the door accepts from here on is of somebody who came back.
    sessions, rows = store.erase(person, datetime.now(UTC) + timedelta(milliseconds=1))
    lines = _clean_quarantine(spool / "quarantine", store.erased())
    log.info("Erased %s: %d sessions, rows %s, %d quarantined lines", subject, sessions, rows, lines)
    return Reply(rows, sessions, lines)


def _clean_quarantine(folder: Path, erased: Erased) -> int:
    """Lines nobody could load would bring a person back as soon as somebody replays them."""
    cleaned = 0
    for path in sorted(folder.glob("*.jsonl")):
        kept, gone = without_erased(path.read_bytes().splitlines(keepends=True), erased)
        if gone:
            draft = path.with_suffix(".draft")
            draft.write_bytes(b"".join(kept))
            draft.replace(path) if kept else path.unlink()
            draft.unlink(missing_ok=True)
            cleaned += len(gone)
    if cleaned:
        sync_folder(folder)
    return cleaned


def requests(data: Path) -> Iterator[tuple[Path, Request]]:
    """What waits to be carried out, oldest first; a file that is no request is put out of the way."""
    for path in sorted((data / "erase").glob("*" + REQUEST), key=lambda path: path.stat().st_mtime_ns):
        try:
            yield path, msgspec.json.decode(path.read_bytes(), type=Request)
        except (OSError, msgspec.DecodeError) as error:
            log.error("%s is no request to erase somebody: %s", path, error)
            path.rename(path.with_suffix(".bad"))


def answer_requests(store: Store, spool: Path) -> int:
    """Carry out everything that waits; the loader calls this between two segments. Raises `StoreAway`."""
    done = 0
    for path, request in requests(spool.parent):
        reply = carry_out(store, spool, request)
        _write(path.with_suffix(REPLY), msgspec.json.encode(reply))
        path.unlink()
        done += 1
    return done


def ask(data: Path, request: Request, patience_s: float) -> Reply:
    """Leave a request for the running collector and wait until it is carried out. Raises `StoreAway`."""
    folder = data / "erase"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / (secrets.token_hex(16) + REQUEST)
    _write(path, msgspec.json.encode(request))
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if path.with_suffix(REPLY).exists():
            reply = msgspec.json.decode(path.with_suffix(REPLY).read_bytes(), type=Reply)
            path.with_suffix(REPLY).unlink()
            return reply
        time.sleep(ASK_AGAIN_S)
    raise StoreAway(
        f"the collector has not got to it within {patience_s:.0f} s; the request stays in {path} and will be carried out"
        " as soon as its store answers"
    )


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def shown(reply: Reply) -> str:
    """One line for the terminal."""
    if not any(reply.rows.values()) and not reply.lines:
        return "nothing was stored under this id; is it spelt as on the pages? What waits to be loaded of it is dropped"
    rows = ", ".join(f"{n:,} of {table}" for table, n in sorted(reply.rows.items()))
    return f"erased: {reply.sessions:,} session(s); rows: {rows}; quarantined lines: {reply.lines:,}"
