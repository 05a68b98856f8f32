"""Command line: reads the settings once and hands them on.

`farside serve` runs the collector, `demo` the shop that shows it, `check` looks before one leaps, `settings` prints what
is in force, `migrate` brings a store up to date.
"""

import argparse
import asyncio
import errno
import gc
import getpass
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import uvicorn

from collector.app import create_app
from collector.caller import Application
from collector.cli import rules
from collector.cli.rows import ARGUMENTS, erase, export, make_data_folder, move
from collector.deploy import post_marker, upload_maps
from collector.gate import require_sign_in
from collector.ingest import BeaconDoor
from collector.ingest.express import express
from collector.load import replay
from collector.people import LEAST_PASSWORD, ROLES, VIEWER, People
from collector.settings import BadSettings, Settings, load
from collector.spool import SEGMENT
from collector.store import Store, StoreAway, plan

DRAIN_S = 8
FLAGS = ("host", "port", "data", "store", "roles", "cluster")


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
            flags={name: getattr(options, name, None) for name in FLAGS},
        )
        if options.run in (add_person, remove_person, list_people, upload_sourcemaps, mark):
            return int(options.run(settings, options))
        return int(options.run(settings, *(getattr(options, name) for name in options.takes)))
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
        ("erase", erase, "take one person's rows out of every table, and keep replays from bringing them back"),
        ("export", export, "write rows of a table into a Parquet file"),
        ("move", move, "copy everything from one store into another, embedded to server or back"),
        ("settings", show_settings, "print the settings in force and where each came from"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run, takes=())
        command.add_argument("--config", type=Path, metavar="FILE", help="settings file (farside.toml)")
        command.add_argument("--data", type=Path, metavar="DIR", help="folder for spool and store (./farside-data)")
        if name == "serve":
            command.add_argument(
                "--roles", help="what this process does (ingest,load,pages,alerts); `ingest`: one more door"
            )
        if name == "replay":
            command.add_argument(
                "paths", nargs="*", type=Path, help="*.segment, or quarantine/*.jsonl; all if none named"
            )
            command.set_defaults(takes=("paths",))
        if name == "migrate":
            command.add_argument("--dry-run", action="store_true", help="print what would run, and change nothing")
            command.add_argument("--cluster", metavar="NAME", help="the servers' cluster to spread the tables over")
            command.set_defaults(takes=("dry_run",))
        if name in ARGUMENTS:
            ARGUMENTS[name](command)
        if name == "move":
            continue
        command.add_argument("--store", metavar="URL", help="chdb:///path or clickhouse://user:pw@host:8443/farside")
        if name in ("serve", "check", "settings"):
            command.add_argument("--host", help="address to listen on (127.0.0.1)")
            command.add_argument("--port", type=int, help="port to listen on (8317)")
    _people_parser(commands)
    _deploy_parser(commands)
    rules.add_parser(commands)
    commands.add_parser("demo", help="run the demo shop beside a collector; `farside demo --help` tells more")
    return parser


def _people_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "name who may sign in to the pages, and what they may do"
    people = commands.add_parser("people", help=text, description=text).add_subparsers(required=True, metavar="ACTION")
    for action, run, text in (
        ("add", add_person, "add somebody, or change their role and password; asks for it, or reads it from a pipe"),
        ("remove", remove_person, "take somebody out; they are signed out at once"),
        ("list", list_people, "print who is in the file"),
    ):
        command = people.add_parser(action, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--config", type=Path, metavar="FILE", help="settings file (farside.toml)")
        command.add_argument("--data", type=Path, metavar="DIR", help="folder for spool and store (./farside-data)")
        if action != "list":
            command.add_argument("name")
        if action == "add":
            command.add_argument(
                "--role", choices=ROLES, help="a viewer looks, an editor changes (who is new: viewer; else as before)"
            )
            command.add_argument("--no-password", action="store_true", help="for those whom a proxy signs in")


def _deploy_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "give a running collector the source maps of a release"
    sourcemaps = commands.add_parser("sourcemaps", help=text, description=text)
    upload = sourcemaps.add_subparsers(required=True, metavar="ACTION").add_parser(
        "upload", help=text, description=text
    )
    upload.add_argument(
        "folder", type=Path, metavar="DIR", help="folder of the build; every *.map below it is uploaded"
    )
    upload.add_argument("--release", required=True, help="as pages name it: data-release, or farside.init({release})")
    upload.add_argument("--url-prefix", default="/", metavar="PATH", help="where the folder is served (/)")
    text = "draw a line on every chart: a deployment, a flag that was turned"
    marker = commands.add_parser("marker", help=text, description=text)
    marker.add_argument("name", help="what it says on the chart, such as 2.15.0")
    marker.add_argument("--kind", default="deploy", help="what it was (deploy)")
    marker.add_argument("--link", default="", help="where there is more about it")
    marker.add_argument("--at", default="", help="when, as ISO 8601 (now)")
    for command, run in ((upload, upload_sourcemaps), (marker, mark)):
        command.set_defaults(run=run)
        command.add_argument("--app", default="", help="name of the app in farside.toml (the first)")
        command.add_argument("--to", metavar="URL", help="address of the pages (http://HOST:PORT of the settings)")
        command.add_argument("--config", type=Path, metavar="FILE", help="settings file (farside.toml)")


def upload_sourcemaps(settings: Settings, options: argparse.Namespace) -> int:
    """Upload a folder's source maps; FARSIDE_DEPLOY_TOKEN is the token."""
    to, token = options.to or _pages(settings), settings.deploy_token
    for line in upload_maps(to, token, options.folder, options.app, options.release, options.url_prefix):
        print(line)
    return 0


def mark(settings: Settings, options: argparse.Namespace) -> int:
    """Post a marker; FARSIDE_DEPLOY_TOKEN is the token."""
    to = options.to or _pages(settings)
    print(post_marker(to, settings.deploy_token, options.app, options.name, options.kind, options.link, options.at))
    return 0


def _pages(settings: Settings) -> str:
    host, port = settings.private_address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def add_person(settings: Settings, options: argparse.Namespace) -> int:
    """Write somebody into the file of people, their password as an argon2 hash."""
    password = "" if options.no_password else _ask_password(options.name)
    if not password and not options.no_password:
        raise BadSettings(f"a password has at least {LEAST_PASSWORD} characters; --no-password is for a proxy's people")
    people = People(settings.people_file)
    known = people.entries().get(options.name)
    role = options.role or (known.role if known else VIEWER)
    people.put(options.name, role, password)
    print(f"{options.name} is {role} in {settings.people_file}; a running collector knows it by now")
    return 0


def remove_person(settings: Settings, options: argparse.Namespace) -> int:
    """Take somebody out of the file of people."""
    People(settings.people_file).remove(options.name)
    print(f"{options.name} is no more in {settings.people_file}")
    return 0


def list_people(settings: Settings, options: argparse.Namespace) -> int:
    """Print who is in the file, and how they come in."""
    entries = People(settings.people_file).entries()
    if not entries:
        print(f"nobody is named in {settings.people_file}; `farside people add NAME --role editor` names somebody")
    for name, entry in sorted(entries.items()):
        print(f"{name:<32} {entry.role:<8} {'password' if entry.password else 'by the proxy'}")
    return 0


def _ask_password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"Password for {name}: ")
    if password != getpass.getpass("Once more: "):
        raise BadSettings("the two passwords differ; nothing was written")
    return password


def serve(settings: Settings) -> int:
    """Run until told to stop."""
    require_sign_in(settings, People(settings.people_file))
    make_data_folder(settings)
    # Threads of a group commit and of the loader take turns with the event loop in half a millisecond instead of five,
    # and what was imported is not looked through again at every collection.
    sys.setswitchinterval(0.0005)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    for host, port in [(settings.host, settings.port), *([settings.private_address] if settings.private else [])]:
        _require_free(host, port)
    pages = _pages(settings)
    print(f"Farside: {pages}/   first beacon: {pages}/setup", flush=True)
    app = create_app(settings)
    if settings.private:
        private = _server(app, *settings.private_address, lifespan="off")
        servers = [_server(app.public, settings.host, settings.port, beacons=app.beacons), private]
    else:
        servers = [_server(app, settings.host, settings.port, beacons=app.beacons)]
    with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
        runner.run(_listen(servers))
    return 0 if all(server.started for server in servers) else 1


def _require_free(host: str, port: int) -> None:
    """Raise `BadSettings` when nothing can listen there, before anybody is told that something does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "another program listens there, perhaps another `farside serve`; choose a port with --port"
            raise BadSettings(f"{host}:{port} is taken: {hint}") from None
        raise BadSettings(f"cannot listen at {host}:{port}: {error.strerror}; see --host and --port") from None


def _server(
    app: Application, host: str, port: int, *, lifespan: Literal["on", "off"] = "on", beacons: BeaconDoor | None = None
) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,  # whom to believe is `trusted_hops`' business, see limits.client_of
            interface="asgi3",
            http=express(beacons) if beacons else "httptools",
            lifespan=lifespan,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )


async def _listen(servers: list[uvicorn.Server]) -> None:
    """Serve on every address until told to stop: the last one takes the signal and hands it on when it has ended."""
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.serve())


def check(settings: Settings) -> int:
    """Try everything `serve` needs without serving."""
    make_data_folder(settings)
    store = Store.of(settings)
    store.open()
    store.read("SELECT 1")
    store.close()
    print(f"ok: {len(settings.apps)} app(s), spool in {settings.spool}, store answers")
    return 0


def migrate(settings: Settings, dry_run: bool = False) -> int:
    """Make the store's tables what this version expects, or say what that would take."""
    if dry_run:
        print(plan(settings), end="")
        return 0
    make_data_folder(settings)
    store = Store.of(settings)
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
    make_data_folder(settings)
    for path, name in replay(settings.spool, named):
        print(f"{path} → segment {name}")
    print(f"{len(named)} file(s) given to the loader; it works while `farside serve` runs, see /metrics and its log")
    return 0
