"""Rows: what is done to them by hand: erase a person, export a table, move house."""

import argparse
import getpass
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from collector import erasure
from collector.settings import BadSettings, Settings
from collector.spool import lock_loader
from collector.store import Store
from collector.store import erase as erasing
from collector.store import export as exporting
from collector.store import move as moving

ERASE_PATIENCE_S = 120


def _erase_arguments(command: argparse.ArgumentParser) -> None:
    whom = command.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="ID", help="somebody, by the id pages gave them, and all sessions they were in")
    whom.add_argument("--session", metavar="ID", help="one session")
    command.add_argument("--app", default="", metavar="NAME", help="in this app only")
    command.set_defaults(takes=("user", "session", "app"))


def _export_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("table", nargs="?", default="events", help="events, otel_traces, outcomes, … (events)")
    command.add_argument("--app", default="", metavar="NAME", help="of this app only")
    command.add_argument("--since", type=_moment, metavar="TIME", help="from then on, 2026-11-24 or …T12:00")
    command.add_argument("--until", type=_moment, metavar="TIME", help="before then")
    command.add_argument("--out", type=Path, metavar="FILE", help="where to (TABLE.parquet)")
    command.set_defaults(takes=("table", "app", "since", "until", "out"))


def _move_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="FROM", help="chdb:///path or clickhouse://user@host:8443/farside")
    command.add_argument("target", metavar="TO", help="the other one, into an empty database")
    command.set_defaults(takes=("source", "target"))


ARGUMENTS = {"erase": _erase_arguments, "export": _export_arguments, "move": _move_arguments}


def _moment(text: str) -> str:
    """A time as people write it → as the store reads it, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24 or 2026-11-24T12:00") from None
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M:%S}"


def erase(settings: Settings, user: str | None, session: str | None, app: str) -> int:
    """Erase somebody: by the collector that runs on this folder, or here if none does."""
    kind, identifier = (erasing.USER, user) if user else (erasing.SESSION, session)
    if not identifier:
        raise BadSettings("an empty id is everybody who has none; name one")
    if session and not re.fullmatch(r"[0-9a-f]{32}", session):
        raise BadSettings(f"{session!r} is no session: its id has 32 hexadecimal digits, as in the address /sessions/…")
    make_data_folder(settings)
    request = erasure.Request(kind, identifier, app, getpass.getuser())
    lock = lock_loader(settings.spool)
    if lock is None:
        reply = erasure.ask(settings.data, request, ERASE_PATIENCE_S)
    else:
        store = Store.of(settings)
        store.open()
        reply = erasure.carry_out(store, settings.spool, request)
        store.close()
        os.close(lock)
    print(erasure.shown(reply))
    return 0


def export(settings: Settings, table: str, app: str, since: str | None, until: str | None, out: Path | None) -> int:
    """Write rows into a Parquet file."""
    file = out or Path(f"{table}.parquet")
    make_data_folder(settings)
    store = Store.of(settings)
    store.open()
    try:
        written = exporting.export(store, table, file, app=app, since=since or "", until=until or "")
    finally:
        store.close()
    print(f"{file}: {written.rows:,} rows, {written.size:,} bytes")
    return 0


def move(settings: Settings, source: str, target: str) -> int:
    """Copy an installation. Nobody may load into either meanwhile: stop the collector, or run its door alone."""
    make_data_folder(settings)
    lock = lock_loader(settings.spool)
    if lock is None:
        raise BadSettings(f"a collector loads from {settings.spool}; stop it, or leave only its door: --roles ingest")
    old, new = (Store.of(replace(settings, store=url, cluster="")) for url in (source, target))
    old.open()
    new.open()
    rows = moving.move(old, new, say=lambda line: print(line, flush=True))
    old.close()
    new.close()
    os.close(lock)
    print(f"all {rows:,} rows are there; now set store = {str(new.address)!r}, and keep the spool where it is")
    return 0


def make_data_folder(settings: Settings) -> None:
    """Have the folder for spool and store. Raises `BadSettings`."""
    try:
        settings.spool.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(
            f"data = {str(settings.data)!r}: {error.strerror}; name a folder this user may write"
        ) from None
