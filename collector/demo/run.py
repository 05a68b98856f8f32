"""Run the demo: the shop's services, perhaps a collector before them and visitors after, until told to stop.

`main()` is the command line of `farside demo`. It prints what to open, and leaves no process behind: not after Ctrl-C,
not after SIGTERM, not when it is killed itself.
"""

import argparse
import importlib.util
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from collector.demo.child import Child
from collector.demo.reach import answers, spare_loopback_the_proxy
from collector.demo.roster import NAMES
from collector.demo.troubles import NAMES as TROUBLE_NAMES
from collector.demo.troubles import Troubles

NO_BROWSER = 3  # the exit code of collector.demo.traffic that means so
_START_S = 60
_NEEDED = ("httpx", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "opentelemetry.instrumentation")


class DemoError(Exception):
    """Why the demo cannot go on, as a sentence."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal comes or the visits are over; returns the process's exit code."""
    options = _parser().parse_args(argv)
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: told.set())
    spare_loopback_the_proxy()
    # Read by the instrumentation when it is imported: neither health checks nor files are worth a trace.
    os.environ.setdefault("OTEL_PYTHON_STARLETTE_EXCLUDED_URLS", "healthz,/static/")
    children: list[Child] = []
    try:
        _check_libraries(options.traffic)
        with tempfile.TemporaryDirectory(prefix="farside-demo-") as folder:
            try:
                _start_collector(options, children, told)
                _open_shop(options, Path(folder), children, told)
                return 0 if told.is_set() else _watch(children, told, options.visits)
            finally:
                _stop(children)
    except DemoError as reason:
        print(f"farside demo: {reason}", file=sys.stderr)
        return 1


def _check_libraries(traffic: int) -> None:
    needed = (*_NEEDED, "playwright") if traffic else _NEEDED
    missing = [name for name in needed if not _is_installed(name)]
    if missing:
        raise DemoError(f"{', '.join(missing)} missing; install the demo's libraries with: pip install 'farside[demo]'")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _start_collector(options: argparse.Namespace, children: list[Child], told: threading.Event) -> None:
    if answers(f"{options.collector}/healthz"):
        return
    if not options.with_collector:
        print(
            f"No collector answers at {options.collector}: the shop opens all the same, and its pages and spans go"
            " unrecorded until `farside serve` runs there."
        )
        return
    port = str(urlsplit(options.collector).port or 80)
    arguments = [sys.executable, "-m", "collector", "serve", "--port", port]
    os.environ.setdefault("FARSIDE_DEMO_RULES", "true")  # the collector's: rules that come with it watch the shop
    children.append(Child("collector", "collector.demo.leash", arguments))
    _wait_for([(children[-1], f"{options.collector}/readyz")], told)


def _open_shop(options: argparse.Namespace, folder: Path, children: list[Child], told: threading.Event) -> None:
    sockets = {name: _listen("127.0.0.1", 0) for name in NAMES if name != "web"}
    sockets["web"] = _listen(options.host, options.port)
    urls = {name: f"http://{_written(listening)}" for name, listening in sockets.items()}
    troubles = folder / "trouble"
    Troubles(troubles).plant("" if options.trouble == "none" else options.trouble)
    started = []
    for name, listening in sockets.items():
        arguments = [name, f"--fd={listening.fileno()}", f"--store={folder / name}.sqlite", f"--troubles={troubles}"]
        arguments += [f"--collector={options.collector}", f"--release={options.release}"]
        arguments += [f"--at={other}={url}" for other, url in urls.items() if other != name]
        arguments += [f"--snippet={options.snippet or options.collector}"]
        if options.verbose:
            arguments.append("--verbose")
        children.append(Child(name, "collector.demo.serve", arguments, fds=[listening.fileno()]))
        started.append((children[-1], f"{urls[name]}/healthz"))
        listening.close()
    _wait_for(started, told)
    if told.is_set():
        return
    print(f"The shop is open:  {urls['web']}/\nWhat it lives through:  {options.snippet or options.collector}/")
    print(f"What is wrong in it, and how to change that:  {urls['web']}/control")
    if options.traffic:
        visits = f"{options.visits} visits" if options.visits else "until you stop it"
        print(f"Visitors: {options.traffic} at a time, {visits}")
        arguments = [urls["web"], f"--at-once={options.traffic}", f"--visits={options.visits}"]
        children.append(Child("visitors", "collector.demo.traffic", [*arguments, f"--pace={options.pace}"]))
    if options.volume:
        print(f"Besides: {options.volume:g} views a minute by walkers without a browser")
        arguments = [urls["web"], f"--a-minute={options.volume}"]
        children.append(Child("walkers", "collector.demo.volume", arguments))
    print("Ctrl-C closes it.", flush=True)


def _listen(host: str, port: int) -> socket.socket:
    try:
        # IPv4 unless the host is written otherwise; SO_REUSEADDR is set by create_server.
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise DemoError(f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port") from error


def _written(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - how to reach it, not where to listen
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _wait_for(started: list[tuple[Child, str]], told: threading.Event) -> None:
    """Until each of `started` answers at its address."""
    deadline = time.monotonic() + _START_S
    for child, url in started:
        while not answers(url, status=200):
            if child.exit_code is not None:
                raise DemoError(f"{child.name} ended with code {child.exit_code} before it answered.")
            if time.monotonic() > deadline:
                raise DemoError(f"{child.name} did not answer at {url} within {_START_S} s.")
            if told.wait(0.1):
                return


def _watch(children: list[Child], told: threading.Event, visits: int) -> int:
    while not told.wait(0.3):
        ended = next((child for child in children if child.exit_code is not None), None)
        if ended is None:
            continue
        if ended.name == "visitors" and ended.exit_code == 0:
            return 0
        if ended.exit_code == NO_BROWSER and not visits:
            # It has said what to install; a shop without visitors can still be looked at.
            children.remove(ended)
            continue
        raise DemoError(f"{ended.name} ended with code {ended.exit_code}; its last lines are above.")
    return 0


def _stop(children: list[Child]) -> None:
    # Visitors leave first, so that nobody meets a closed shop; the collector goes last, to hear all of it.
    for names in ({"visitors", "walkers"}, set(NAMES), {"collector"}):
        leaving = [child for child in children if child.name in names]
        for child in leaving:
            child.ask_to_stop()
        for child in leaving:
            child.wait(20 if "collector" in names else 8)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="farside demo", description="A small shop that Farside watches.")
    add = parser.add_argument
    add("--collector", type=_base_url, default="http://127.0.0.1:8317", metavar="URL", help="(%(default)s)")
    add("--with-collector", action="store_true", help="start `farside serve` there if nothing answers")
    add("--snippet", type=_base_url, metavar="URL", help="where browsers fetch farside.js, if not from --collector")
    add("--host", default="127.0.0.1", help="the address the shop listens on (%(default)s)")
    add("--port", type=int, default=8400, help="the shop's port, 0 for any (%(default)s)")
    add("--traffic", type=int, default=0, metavar="N", help="visitors at a time, in a headless browser (none)")
    add("--visits", type=int, default=0, metavar="M", help="end after so many visits (go on)")
    add("--volume", type=float, default=0, metavar="N", help="and N views a minute by walkers without a browser (none)")
    add("--pace", type=float, default=1.0, metavar="X", help="how long visitors think; 0.2 is in a hurry (1)")
    add(
        "--trouble",
        choices=[*TROUBLE_NAMES, "none"],
        default="scroll",
        help="what is wrong from the start (%(default)s)",
    )
    add("--release", default=os.environ.get("FARSIDE_DEMO_RELEASE", "2.14.0"), help="the shop's release (%(default)s)")
    add("--verbose", action="store_true", help="log every request")
    return parser


def _base_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not an address like http://127.0.0.1:8317")
    return text.rstrip("/")
