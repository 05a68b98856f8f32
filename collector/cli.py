"""Command line: reads the settings once and hands them on.

`farside serve` runs the collector, `demo` the shop that shows it, `check` looks before one leaps, `settings` prints what
is in force, `migrate` brings a store up to date.
"""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from collector.app import create_app
from collector.load import replay
from collector.settings import BadSettings, Settings, is_loopback, load
from collector.spool import SEGMENT
from collector.store import Store, StoreAway

DRAIN_S = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["demo"]:
        # A process of its own: the shop is a user of Farside like any other, and its libraries are an extra.
        os.execv(sys.executable, [sys.executable, "-m", "collector.demo", *arguments[1:]])  # noqa: S606
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = load(
            options.config,
            flags={name: getattr(options, name, None) for name in ("host", "port", "data", "store", "roles")},
        )
        return int(options.run(settings, options.paths) if "paths" in options else options.run(settings))
    except (BadSettings, StoreAway) as error:
        print(f"farside: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="farside", description="Real-user monitoring, browser to backend.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("serve", serve, "run the collector"),
        ("check", check, "verify settings, folder and store before serving"),
        ("migrate", migrate, "bring the store's tables up to date"),
        ("replay", replay_files, "load quarantined or archived segments again, without doubling"),
        ("settings", show_settings, "print the settings in force and where each came from"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--config", type=Path, metavar="FILE", help="settings file (farside.toml)")
        command.add_argument("--data", type=Path, metavar="DIR", help="folder for spool and store (./farside-data)")
        if name == "serve":
            command.add_argument("--roles", help="what this process does (ingest,load,pages); `ingest`: one more door")
        if name == "replay":
            command.add_argument(
                "paths", nargs="*", type=Path, help="*.segment, or quarantine/*.jsonl; all if none named"
            )
        command.add_argument("--store", metavar="URL", help="chdb:///path or clickhouse://user:pw@host:8443/farside")
        if name in ("serve", "check", "settings"):
            command.add_argument("--host", help="address to listen on (127.0.0.1)")
            command.add_argument("--port", type=int, help="port to listen on (8317)")
    commands.add_parser("demo", help="run the demo shop beside a collector; `farside demo --help` tells more")
    return parser


def serve(settings: Settings) -> int:
    """Run until told to stop."""
    if settings.host != "localhost" and not is_loopback(f"http://{settings.host}"):
        raise BadSettings(
            f"host {settings.host!r} can be reached from elsewhere, and pages have no sign-in yet: bind to 127.0.0.1 and"
            " put a proxy with authentication before all but /farside*.js, /b and /c/"
        )
    _make_data_folder(settings)
    # Threads of a group commit and of the loader take turns with the event loop in half a millisecond instead of five,
    # and what was imported is not looked through again at every collection.
    sys.setswitchinterval(0.0005)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Farside: http://{host}:{settings.port}/   first beacon: http://{host}:{settings.port}/setup", flush=True)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # whom to believe is `trusted_hops`' business, see limits.client_of
        lifespan="on",
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def check(settings: Settings) -> int:
    """Try everything `serve` needs without serving."""
    _make_data_folder(settings)
    store = Store(settings.store_url, scratch=settings.data / "tmp")
    store.open()
    store.read("SELECT 1")
    store.close()
    print(f"ok: {len(settings.apps)} app(s), spool in {settings.spool}, store answers")
    return 0


def migrate(settings: Settings) -> int:
    """Make the store's tables what this version expects."""
    _make_data_folder(settings)
    store = Store(settings.store_url, scratch=settings.data / "tmp")
    store.open()
    for row in store.read("SELECT version, name, applied_at FROM migrations FINAL ORDER BY version"):
        print(f"{row['version']:04d}  {row['applied_at']:%Y-%m-%d %H:%M}  {row['name']}")
    store.close()
    return 0


def show_settings(settings: Settings) -> int:
    """Print the effective settings."""
    for name, value, source in settings.table():
        print(f"{name:<16} {value:<40} {source}")
    return 0


def replay_files(settings: Settings, paths: Sequence[Path]) -> int:
    """Give the loader what it could not load before."""
    named = paths or sorted((settings.spool / "quarantine").glob("*.jsonl"))
    missing = [path for path in named if not path.is_file() or path.suffix not in (SEGMENT, ".jsonl")]
    if missing:
        raise BadSettings(f"{missing[0]}: no such segment; name files that end in {SEGMENT} or .jsonl")
    _make_data_folder(settings)
    for path, name in replay(settings.spool, named):
        print(f"{path} → segment {name}")
    print(f"{len(named)} file(s) given to the loader; it works while `farside serve` runs, see /metrics and its log")
    return 0


def _make_data_folder(settings: Settings) -> None:
    try:
        settings.spool.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(
            f"data = {str(settings.data)!r}: {error.strerror}; name a folder this user may write"
        ) from None
