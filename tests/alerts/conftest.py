"""A store with history made up by hand: lines straight into it, so that a test knows what every window holds."""

import json
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.store import Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class History:
    """Writes views into a store; each is one line, or two when it reports twice."""

    def __init__(self, store: Store, seed: int = 1) -> None:
        self.store, self.rng, self.nr = store, random.Random(seed), 0
        self.lines: list[dict[str, Any]] = []

    def view(
        self, at: datetime, lcp: float | None = 2_000.0, more: list[dict[str, Any]] | None = None, **fields: Any
    ) -> str:
        """A view whose newest LCP was received at a moment; every third one reported another before."""
        view_id = f"{self.rng.getrandbits(128):032x}"
        received = int(at.timestamp() * 1000)
        line = {
            "app": "demo", "view_id": view_id, "session_id": view_id, "view_started_at": received - 9_000.0,
            "base_at": received - 9_000.0, "route": "/", "visibility": "visible", "sample_n": 1, "release": "1.0",
            "user_id": f"u{self.rng.randrange(5_000)}", "trace_id": view_id, "device": "mobile", "url": "/",
        } | fields  # fmt: skip
        events: list[dict[str, Any]] = [{"type": "view", "at": 0.0, "duration_ms": 900.0}]
        if lcp is not None:
            events.append({"type": "vital", "at": 900.0, "name": "LCP", "value": lcp})
        if self.rng.random() < 0.3 and lcp is not None:
            early = received - self.rng.randrange(1_000, 600_000)
            self._line(line, early, 0, [{"type": "vital", "at": 1.0, "name": "LCP", "value": lcp / 2}])
        self._line(line, received, 1, events + (more or []))
        return view_id

    def _line(self, line: dict[str, Any], received: int, seq: int, events: list[dict[str, Any]]) -> None:
        line_id = f"{self.rng.getrandbits(128):032x}"
        self.lines.append(line | {"line_id": line_id, "received_at": received, "seq": seq, "events": events})

    def write(self) -> None:
        """Put everything since the last time into the store."""
        self.nr += 1
        text = b"".join(json.dumps(line).encode() + b"\n" for line in self.lines)
        self.store.insert(text, f"history-{self.nr}")
        self.lines = []

    def steady(self, since: datetime, until: datetime, per_hour: int, p75: float = 2_100.0, **fields: Any) -> None:
        """Traffic whose LCP is log-normal with this p75."""
        span = (until - since).total_seconds()
        for _ in range(int(per_hour * span / 3_600)):
            at = since + timedelta(seconds=self.rng.random() * span)
            self.view(at, p75 * self.rng.lognormvariate(-0.6745 * 0.5, 0.5), **fields)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    store = Store(f"chdb://{tmp_path / 'chdb'}", scratch=tmp_path / "tmp")
    store.open()
    yield History(store)
    store.close()


class Ear:
    """An HTTP receiver that answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int | str] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = ear.answers.pop(0) if ear.answers else 200
                if answer == "close":
                    self.connection.close()
                    return
                ear.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(int(answer))
                if answer == 302:
                    self.send_header("location", "http://127.0.0.1:1/elsewhere")
                if answer == 429:
                    self.send_header("retry-after", "77")
                self.end_headers()
                self.wfile.write(b"said")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["kind"] for _, body in self.heard]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()
