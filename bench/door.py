"""The door: durable acknowledgements beside a Starlette no-op in the same run, and how soon a beacon is visible.

Three ways to run it: a door alone, which nothing loads from; the whole collector in one process; two doors beside one
process that loads. Saturated first, then at a steady rate that readers are to keep up with.

Servers and load generator share the machine. Usage: python -m bench.door [--seconds 4] [--sustained 60]     prints JSON
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONNECTIONS = 256  # of thousands of browsers, those that are waiting for the disk at the same moment
SUSTAINED_EVENTS_PER_S = 52_000
LOADING = ("whole_process", "two_doors_beside_a_store")


async def nothing(request: Request) -> Response:
    await request.body()
    return Response(status_code=204)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """A server process on a free port; its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", *arguments, "--port", str(port)], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if fetch(f"{url}/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def fetch(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as reply:
        return reply.status, reply.read()


def load(*urls: str, seconds: float, rate: float = 0) -> dict[str, Any]:
    """One generator process for each door, its connections and its rate shared among them; what came of it in all."""
    share = ["--seconds", str(seconds), "--rate", str(rate / len(urls)), "--connections", str(CONNECTIONS // len(urls))]
    commands = [[sys.executable, "-m", "bench.load", url, *share] for url in urls]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    found = [dict(json.loads(process.communicate()[0])) for process in running]
    together = {name: sum(run[name] for run in found) for name in ("requests_per_s", "events_per_s")}
    slowest = {name: max(run[name] for run in found) for name in ("p50_ms", "p99_ms")}
    refused = sum(n for run in found for status, n in run["statuses"].items() if status != "204")
    return together | slowest | {"not_204": refused}


def watermark(url: str) -> float:
    return datetime.fromisoformat(json.loads(fetch(f"{url}/readyz")[1])["watermark"]).timestamp()


def lag_after(url: str) -> float:
    """Seconds until everything acknowledged by now can be queried."""
    now = time.time()
    while watermark(url) < now:
        time.sleep(0.02)
    return time.time() - now


def visible(url: str, samples: int = 40) -> dict[str, float]:
    """Seconds from a 204 until pages show the beacon, at a trickle."""
    from bench.load import Requests

    requests = Requests("x")
    waits = []
    for _ in range(samples):
        body = requests.make().partition(b"\r\n\r\n")[2]
        assert fetch(f"{url}/b", body)[0] == 204
        waits.append(lag_after(url))
        time.sleep(0.05)
    waits.sort()
    return {"p50_s": round(statistics.median(waits), 2), "p95_s": round(waits[int(0.95 * samples)], 2)}


@contextmanager
def collectors(data: Path) -> Iterator[dict[str, list[str]]]:
    """The ways to run Farside that are compared: the addresses of their doors, the one that knows the watermark first."""
    with ExitStack() as stack:

        def serve(folder: str, *roles: str) -> str:
            return stack.enter_context(server("collector", "serve", "--data", str(data / folder), *roles))

        yield {
            "noop_starlette": [stack.enter_context(server("bench.door", "--noop", "1"))],
            "door_alone": [serve("door", "--roles", "ingest")],
            "whole_process": [serve("whole")],
            "two_doors_beside_a_store": [
                serve("three", "--roles", "load,pages"),
                serve("three", "--roles", "ingest"),
                serve("three", "--roles", "ingest"),
            ],
        }


def doors(urls: list[str]) -> list[str]:
    """Where beacons go: a process that has doors beside it has none itself."""
    return urls[1:] or urls


def acknowledgements(ways: dict[str, list[str]], seconds: float, rounds: int) -> dict[str, Any]:
    """Saturated, in turns: the machine's speed drifts, and a ratio should not."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, urls in ways.items():
            runs[name].append(load(*doors(urls), seconds=seconds))
            if name in LOADING:
                runs[name][-1]["seconds_until_queryable"] = round(lag_after(urls[0]), 2)
    rates = {name: statistics.median(run["requests_per_s"] for run in found) for name, found in runs.items()}
    ratios = {name: round(rate / rates["noop_starlette"], 3) for name, rate in rates.items()}
    return {"ratio_to_noop": ratios, "acknowledgements": runs}


def freshness(urls: list[str], seconds: float) -> dict[str, Any]:
    """A steady load: whether readers keep up with the door."""
    sustained = load(*doors(urls), seconds=seconds, rate=SUSTAINED_EVENTS_PER_S / 10)
    return sustained | {"for_s": seconds, "seconds_until_queryable": round(lag_after(urls[0]), 2)}


def main(seconds: float, sustained_s: float) -> dict[str, Any]:
    found: dict[str, Any] = {"cores": os.cpu_count()}
    folder = Path(tempfile.mkdtemp(prefix="farside-bench-"))
    try:
        with collectors(folder) as ways:
            for urls in ways.values():
                load(*doors(urls), seconds=1.5)
            found |= acknowledgements(ways, seconds, rounds=3)
            whole = ways["whole_process"]
            best = statistics.median(run["requests_per_s"] for run in found["acknowledgements"]["whole_process"])
            found["half_load"] = load(*whole, seconds=seconds, rate=best / 2)
            lag_after(whole[0])
            found["visible_after_204"] = visible(whole[0])
            found["sustained"] = {name: freshness(ways[name], sustained_s) for name in LOADING}
    finally:
        shutil.rmtree(folder)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--sustained", type=float, default=60)
    parser.add_argument("--noop")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.noop:
        app = Starlette(routes=[Route("/b", nothing, methods=["POST"]), Route("/readyz", nothing)])
        app.router.routes[1] = Route("/readyz", lambda request: Response("ok"))
        uvicorn.run(
            app, port=options.port, log_level="warning", access_log=False, server_header=False, date_header=False
        )
    else:
        print(json.dumps(main(options.seconds, options.sustained), indent=1))
