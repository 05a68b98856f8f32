"""What every test may ask for: a running collector on a store of its own, a spool by itself, a browser.

Real parts only. A collector is a process of its own (chDB opens one data folder in a process, once), with a way in for
tests to ask its engine anything: `tests.serving`.
"""

import json
import os
import pickle
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from collector.agents import Hints, agent_of
from collector.enrich import Arrival, Memory
from collector.settings import DEMO, App
from collector.store import Store

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "collector" / "demo" / "beacons"
CHROME_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


class Reply(NamedTuple):
    """What a client saw."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def outcome(self) -> str:
        return self.headers.get("x-farside", "")


def send(url: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Reply:
    """One HTTP request over a real socket; header names take _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers={"user-agent": USER_AGENT, **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return Reply(reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def a_beacon(*events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A small valid beacon, ids fresh; `fields` replace what it says."""
    now = time.time() * 1000
    return {
        "v": 1, "key": "demo", "beacon_id": secrets.token_hex(16), "seq": 0, "sent_at": now,
        "session_id": secrets.token_hex(16), "view_id": secrets.token_hex(16), "view_started_at": now - 2_000,
        "url": "http://localhost/products/42", "trace_id": secrets.token_hex(16), "span_id": secrets.token_hex(8),
        "events": list(events) or [{"type": "view", "at": 0, "duration_ms": 800}],
    } | fields  # fmt: skip


def as_bytes(beacon: dict[str, Any]) -> bytes:
    return json.dumps(beacon).encode()


def an_arrival(app: App = DEMO, received_at: int = 1_790_000_000_000, agent: str = USER_AGENT, **hints: str) -> Arrival:
    """What a door would hand to enrichment."""
    return Arrival(app, received_at, agent_of(agent, Hints(**hints)), "", Memory())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Any], timeout_s: float = 15.0, every_s: float = 0.05) -> Any:
    """Ask until the answer is true and return it; fails when time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = true()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_s} s"
        time.sleep(every_s)


class Running:
    """A collector at work, as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        self._log = folder / f"serve-{self.port}.log"
        command = [sys.executable, "-m", "tests.serving", "--data", str(self.data), "--port", str(self.port)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log, cwd=folder, env=environment)
        wait_until(self._is_ready, timeout_s=60)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return send(f"{self.url}/readyz").status == 200
        except OSError:
            return False

    @property
    def log(self) -> str:
        return self._log.read_text()

    def post(self, beacon: dict[str, Any] | bytes, **headers: str) -> Reply:
        body = beacon if isinstance(beacon, bytes) else as_bytes(beacon)
        return send(f"{self.url}/b", body, **({"origin": "http://localhost"} | headers))

    def get(self, path: str, **headers: str) -> Reply:
        return send(self.url + path, **headers)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        reply = send(f"{self.url}/sql", pickle.dumps((sql, parameters)))
        assert reply.status == 200, reply.body.decode()
        return list(pickle.loads(reply.body))

    def value(self, sql: str, **parameters: Any) -> Any:
        return next(iter(self.rows(sql, **parameters)[0].values()))

    def wait_for(self, sql: str, timeout_s: float = 15.0, **parameters: Any) -> Any:
        """Until the first value of the first row is true; returns it."""
        return wait_until(lambda: self.value(sql, **parameters), timeout_s)

    def settled(self, timeout_s: float = 15.0) -> None:
        """Until everything acknowledged so far, and everything refused, is in the store."""
        # Refusals reach the ledger once a second, and from there go the way of everything else.
        until = datetime.now(UTC) + timedelta(seconds=1.1)
        wait_until(
            lambda: datetime.fromisoformat(json.loads(self.get("/readyz").body)["watermark"]) >= until, timeout_s
        )

    def ledger(self) -> dict[tuple[str, str], int]:
        rows = self.rows("SELECT app, outcome, sum(n) AS n FROM outcomes GROUP BY app, outcome")
        return {(row["app"], row["outcome"]): row["n"] for row in rows}

    def kill(self, how: int = signal.SIGKILL, timeout_s: float = 20.0) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout_s)


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a collector on this test's data folder, any number of times one after another."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(tmp_path, *arguments))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.kill()


@pytest.fixture
def collector(spawn: Callable[..., Running]) -> Running:
    return spawn()


class Front:
    """ClickHouse's HTTP interface over chDB, as a process of its own: `tests.clickhouse_front`."""

    user, password = "farside", "hush-hush"

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self._log = folder / "front.log"
        login = ["--user", self.user, "--password", self.password, f"--port={self.port}"]
        data = ["--data", str(folder / "chdb")]
        self._command = [sys.executable, "-m", "tests.clickhouse_front", *data, *login, *arguments]
        self.start()

    def start(self) -> None:
        """Begin to answer, for the first time or again on the same data."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=ROOT)
        wait_until(self._answers, timeout_s=60)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            return send(f"http://127.0.0.1:{self.port}/ping").body == b"Ok.\n"
        except OSError:
            return False

    def url(self, database: str) -> str:
        """The address of a database, as settings name it."""
        return f"clickhouse://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(20)


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One front for all tests; they tell their data apart by databases of their own."""
    front = Front(tmp_path_factory.mktemp("front"))
    yield front
    front.stop()


@pytest.fixture(scope="module")
def shared_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One collector for all tests of a module; they tell their rows apart by ids of their own."""
    running = Running(tmp_path_factory.mktemp("shared"))
    yield running
    running.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"chdb://{tmp_path / 'chdb'}", scratch=tmp_path / "tmp")
    store.open()
    yield store
    store.close()


def find_browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium with a fresh profile: an installed one, else Playwright's own.

    Not for the whole session: Playwright's event loop runs in this thread, and tests with a loop of their own need it.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser() or None, args=CHROME_ARGUMENTS)
        yield browser
        browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that drives a browser may be asked again: a machine that stalls for a second is not our bug.

    It is shown as RERUN when it needed that, and it has to pass by itself within three tries.
    """
    for item in items:
        if {"browser", "visit", "fox"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.flaky(reruns=2))
