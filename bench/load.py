"""A load generator: many keep-alive connections that post one golden beacon with ids of its own, over and over.

Usage: python -m bench.load URL --seconds 8 --connections 64 [--rate 3000]     prints one line of JSON
"""

import argparse
import asyncio
import json
import secrets
import time
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

GOLDEN = Path(__file__).parent.parent / "collector" / "demo" / "beacons"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


def fullest() -> dict[str, object]:
    """The golden beacon with the most events."""
    return max((json.loads(path.read_text()) for path in GOLDEN.glob("*.json")), key=lambda b: len(b["events"]))


class Requests:
    """Requests that differ in their ids only: assembled from parts, which costs the generator next to nothing."""

    def __init__(self, host: str) -> None:
        now = time.time() * 1000
        marked = fullest() | {
            "beacon_id": "@BEACON@" * 4, "view_id": "@VIEW_ID" * 4, "key": "demo",
            "sent_at": now, "view_started_at": now - 3_000,
        }  # fmt: skip
        body = json.dumps(marked, separators=(",", ":")).encode()
        self.events = len(marked["events"])
        head = (
            f"POST /b HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nOrigin: http://localhost\r\n"
            f"User-Agent: {AGENT}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        before, rest = (head + body).split(b"@BEACON@" * 4)
        between, after = rest.split(b"@VIEW_ID" * 4)
        self._parts = before, between, after
        self._prefix = secrets.token_hex(12)
        self._next = 0

    def make(self) -> bytes:
        self._next += 1
        own = b"%s%08x" % (self._prefix.encode(), self._next)
        before, between, after = self._parts
        return b"".join((before, own, between, own, after))


class Client(asyncio.Protocol):
    """One connection: sends when told to, and notes how long each answer took."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._sent: deque[float] = deque()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._run.idle.append(self)
        self._run.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        # A server closes what was idle for some seconds; at a low rate that is many of them.
        if self in self._run.idle:
            self._run.idle.remove(self)

    def send(self) -> None:
        self._sent.append(time.perf_counter())
        self.transport.write(self._run.requests.make())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._run.answered(head[9:12], time.perf_counter() - self._sent.popleft())
            self._run.idle.append(self)
        self._run.pump()


class Run:
    """One measurement."""

    def __init__(self, requests: Requests, rate: float) -> None:
        self.requests = requests
        # Whoever has waited longest is next: the others would idle until the server closes them.
        self.idle: deque[Client] = deque()
        self.latencies: list[float] = []
        self.statuses: dict[str, int] = {}
        self.going = False
        self._rate = rate
        self._due = 0.0
        self._ticket = 0.0

    def answered(self, status: bytes, latency: float) -> None:
        if self.going:
            self.latencies.append(latency)
            self.statuses[status.decode()] = self.statuses.get(status.decode(), 0) + 1

    def pump(self) -> None:
        """Send on every idle connection, or as many as the rate allows."""
        if self._rate:
            return
        while self.going and self.idle:
            self.idle.popleft().send()

    async def go(self, seconds: float) -> float:
        self.going = True
        started = time.perf_counter()
        self.pump()
        if self._rate:
            sent = 0
            while (elapsed := time.perf_counter() - started) < seconds:
                while sent < elapsed * self._rate and self.idle:
                    self.idle.popleft().send()
                    sent += 1
                await asyncio.sleep(0.001)
        else:
            await asyncio.sleep(seconds)
        self.going = False
        return time.perf_counter() - started


async def measure(url: str, seconds: float, connections: int, rate: float) -> dict[str, object]:
    parts = urlsplit(url)
    run = Run(Requests(parts.netloc), rate)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(run), parts.hostname, parts.port)
    took = await run.go(seconds)
    ordered = sorted(run.latencies) or [float("nan")]
    answered = sum(run.statuses.values())
    return {
        "requests_per_s": round(answered / took),
        "events_per_s": round(answered * run.requests.events / took),
        "events_per_request": run.requests.events,
        "statuses": run.statuses,
        "p50_ms": round(ordered[len(ordered) // 2] * 1e3, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0)
    options = parser.parse_args()
    print(json.dumps(uvloop.run(measure(options.url, options.seconds, options.connections, options.rate))))
