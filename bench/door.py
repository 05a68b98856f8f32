"""The door: durable acknowledgements beside a Starlette no-op in the same run, and how soon a beacon is visible.

Server and load generator share the machine. Usage: python -m bench.door [--seconds 8]     prints JSON
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
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


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


def load(url: str, seconds: float, rate: float = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", url, "--seconds", str(seconds), "--rate", str(rate)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def watermark(url: str) -> float:
    return datetime.fromisoformat(json.loads(fetch(f"{url}/readyz")[1])["watermark"]).timestamp()


def lag_after(url: str) -> float:
    """Seconds until everything acknowledged by now can be queried."""
    now = time.time()
    while watermark(url) < now:
        time.sleep(0.02)
    return time.time() - now


def visible(url: str, samples: int = 60) -> dict[str, float]:
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


def main(seconds: float) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="farside-bench-"))
    durable, ceiling = [], []
    try:
        with server("bench.door", "--noop", "1") as noop, server("collector", "serve", "--data", str(folder)) as ours:
            for url in (noop, ours):
                load(url, 2)
            for _ in range(3):
                ceiling.append(load(noop, seconds))
                durable.append(load(ours, seconds))
                durable[-1]["seconds_until_queryable"] = round(lag_after(ours), 2)
            best = statistics.median(run["requests_per_s"] for run in durable)
            half = load(ours, seconds, rate=best / 2)
            lag_after(ours)
            seen = visible(ours)
            sustained = load(ours, 7 * seconds)
            sustained["seconds_until_queryable"] = round(lag_after(ours), 2)
    finally:
        shutil.rmtree(folder)
    noop_rate = statistics.median(run["requests_per_s"] for run in ceiling)
    return {
        "cores": os.cpu_count(),
        "noop_starlette": ceiling,
        "farside": durable,
        "ratio": round(best / noop_rate, 3),
        "half_load": half,
        "visible_after_204": seen,
        "sustained": sustained,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8)
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
        print(json.dumps(main(options.seconds), indent=1))
