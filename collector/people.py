"""People: who may look and who may change things; passwords as argon2 hashes, sessions by their own hash.

The file of people is TOML that `farside people` writes and everybody may read again at any time: who is taken out of it
is out at once. Sessions lie in SQLite beside it, under the SHA-256 of what the cookie says, so that a copy of the file
opens nothing. Nothing here speaks HTTP; collector.gate does.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import sqlite3
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from collector.limits import Limiter, network_of
from collector.settings import BadSettings

log = logging.getLogger("farside.people")

VIEWER, EDITOR = "viewer", "editor"
ROLES = (VIEWER, EDITOR)
SESSION_S = 24 * 3600
LEAST_PASSWORD, LONGEST_PASSWORD = 10, 1_024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")

# argon2id with what OWASP asks for at the least, 19 MiB and two passes: beacons are acknowledged on the same two cores.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has been let in: by what (`password`, `proxy`, `loopback`, `token`), and what they may do."""

    name: str
    role: str
    by: str

    @property
    def may_change(self) -> bool:
        """Whether writes are theirs to make."""
        return self.role == EDITOR


# Who is in front of a Farside that listens on this machine only and has no sign-in: whoever sits at it.
AT_THIS_MACHINE = Person("somebody at this machine", EDITOR, "loopback")


@dataclass(frozen=True, slots=True)
class Entry:
    """One person in the file; without a password they come through a proxy only."""

    role: str
    password: str = ""


class People:
    """The file, read again when it has changed. A file that cannot be read keeps everybody as they were."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read_at: tuple[int, int] = (0, 0)
        self._entries: dict[str, Entry] = {}
        self._nobody = HASHER.hash(secrets.token_hex(16))

    def entries(self) -> dict[str, Entry]:
        """Everybody, by name; raises `BadSettings` when there was never a file that can be read."""
        try:
            stat = self.file.stat()
        except FileNotFoundError:
            self._entries, self._read_at = {}, (0, 0)
            return self._entries
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._read_at:
            try:
                self._entries = _read(self.file)
            except BadSettings as error:
                if self._read_at == (0, 0):
                    raise
                log.error("Keeping the people as they were: %s", error)
            self._read_at = stamp
        return self._entries

    @property
    def have_passwords(self) -> bool:
        """Whether anybody could sign in here."""
        return any(entry.password for entry in self.entries().values())

    def verify(self, name: str, password: str) -> Person | None:
        """Who this is, if the password is theirs. Takes as long for a name that nobody has: both hash once."""
        entry = self.entries().get(name)
        known = entry.password if entry and entry.password else self._nobody
        try:
            HASHER.verify(known, password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        return Person(name, entry.role, "password") if entry and entry.password else None

    def put(self, name: str, role: str, password: str) -> None:
        """Add somebody or change them; an empty password is for those whom a proxy signs in."""
        if not NAME.match(name):
            raise BadSettings(f"{name!r} is no name: letters, digits and . _ @ + -, at most 64 of them")
        if role not in ROLES:
            raise BadSettings(f"there is no role {role!r}; there are {', '.join(ROLES)}")
        if password and not LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise BadSettings(f"a password has {LEAST_PASSWORD} to {LONGEST_PASSWORD} characters")
        self._write(self.entries() | {name: Entry(role, HASHER.hash(password) if password else "")})

    def remove(self, name: str) -> None:
        """Take somebody out; their sessions end with that."""
        left = dict(self.entries())
        if not left.pop(name, None):
            raise BadSettings(f"{self.file} has nobody of the name {name!r}")
        self._write(left)

    def _write(self, entries: dict[str, Entry]) -> None:
        lines = ["# Written by `farside people`; passwords are argon2 hashes.\n"]
        for name, entry in sorted(entries.items()):
            lines.append(f"[{json.dumps(name)}]\nrole = {json.dumps(entry.role)}\n")
            if entry.password:
                lines.append(f"password = {json.dumps(entry.password)}\n")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        written = self.file.with_suffix(f".{secrets.token_hex(4)}.new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines))
            os.fsync(file.fileno())
        written.replace(self.file)


def _read(path: Path) -> dict[str, Entry]:
    try:
        table = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: {error}") from None
    found = {}
    for name, entry in table.items():
        if not isinstance(entry, dict) or entry.get("role") not in ROLES or not NAME.match(name):
            raise BadSettings(
                f"{path}: [{name}] needs role = one of {', '.join(ROLES)}; `farside people add` writes it"
            )
        found[name] = Entry(entry["role"], str(entry.get("password", "")))
    return found


class Sessions:
    """Who is signed in on which browser, and the secret that makes forms unforgeable."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        with self._open() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS sessions"
                " (id TEXT PRIMARY KEY, name TEXT NOT NULL, password TEXT NOT NULL, until REAL NOT NULL)"
            )
            db.execute(
                "CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL)"
            )
            db.execute("INSERT OR IGNORE INTO secret VALUES (1, ?)", [secrets.token_hex(32)])
            self._secret = str(db.execute("SELECT value FROM secret").fetchone()[0]).encode()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if not self._file.exists():
            os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600))
        with self._lock, closing(sqlite3.connect(self._file, timeout=5)) as db, db:
            yield db

    def begin(self, name: str, entry: Entry) -> str:
        """A fresh session, whatever the browser had before; returns what the cookie says."""
        cookie = secrets.token_urlsafe(32)
        now = time.time()
        with self._open() as db:
            db.execute("DELETE FROM sessions WHERE until < ?", [now])
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)",
                [_hash(cookie), name, _hash(entry.password), now + SESSION_S],
            )
        return cookie

    def who(self, cookie: str, people: People) -> Person | None:
        """Whose session this is. It ends in time, with a new password, and when its person is taken out."""
        if not cookie:
            return None
        with self._open() as db:
            row = db.execute("SELECT name, password, until FROM sessions WHERE id = ?", [_hash(cookie)]).fetchone()
        if row is None or row[2] < time.time():
            return None
        entry = people.entries().get(row[0])
        if entry is None or not entry.password or not hmac.compare_digest(_hash(entry.password), row[1]):
            return None
        return Person(row[0], entry.role, "password")

    def end(self, cookie: str) -> None:
        """Sign out: the cookie is worth nothing from now on, wherever a copy of it lies."""
        with self._open() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", [_hash(cookie)])

    def form_token(self, person: str, cookie: str) -> str:
        """What every form of this person in this browser carries; bound to both, so that nobody can bring their own."""
        return hmac.new(self._secret, f"form\n{person}\n{cookie}".encode(), hashlib.sha256).hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Guesses:
    """How often somebody may try: from one network, at one name, and both; in memory of fixed size."""

    def __init__(self) -> None:
        self._pairs = Limiter(1 / 30, 10)
        self._networks = Limiter(1 / 5, 30)
        self._names = Limiter(1 / 10, 100)  # generous: a stranger must not be able to lock anybody out from elsewhere

    def admits(self, name: str, client: str) -> bool:
        """Count one attempt."""
        now, network, who = time.monotonic(), network_of(client), name.encode(errors="replace")[:64]
        return (
            self._pairs.admits(network + b"\n" + who, now)
            and self._networks.admits(network, now)
            and self._names.admits(who, now)
        )
