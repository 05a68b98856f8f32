"""The store away for a while under load: nothing may be lost, doors and pages must answer meanwhile, and what gathered
must drain at five times the speed at which it came.

Only inserts are taken away (the table they go to is renamed), which is all the loader can see of an outage; events go
on arriving through it and through the drain. The loader asks again at most every ten seconds, so `until_noticed_s` is
told apart from `drain_s`.

Usage: python -m bench.outage [--seconds 60] [--rate 1000]     prints JSON; exit code 1 when a promise was not kept
"""

import argparse
import http.client
import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.crash import command
from bench.load import fullest
from tests.conftest import USER_AGENT, Running, send

BEFORE_S = 3
DRAIN_AT_LEAST = 5
RENAME = "RENAME TABLE farside.lines TO farside.lines_away"
RENAME_BACK = "RENAME TABLE farside.lines_away TO farside.lines"


class Pages:
    """One client that sends full beacons at an even rate, and knows the views that were acknowledged."""

    def __init__(self, running: Running, events_per_s: float) -> None:
        self.golden = fullest()
        self.events_each = len(self.golden["events"])  # type: ignore[arg-type]
        self.acknowledged: list[str] = []
        self.replies: Counter[str] = Counter()
        self.slowest_ms = 0.0
        self._every_s = self.events_each / events_per_s
        self._port = running.port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Origin": "http://localhost", "User-Agent": USER_AGENT}
        due = time.monotonic()
        while not self._stop.is_set():
            now = time.time() * 1000
            view_id, beacon_id = secrets.token_hex(16), secrets.token_hex(16)
            own = {"view_id": view_id, "beacon_id": beacon_id, "sent_at": now, "view_started_at": now - 3_000}
            started = time.perf_counter()
            connection.request("POST", "/b", json.dumps(self.golden | own | {"key": "demo"}).encode(), headers)
            reply = connection.getresponse()
            reply.read()
            self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - started) * 1e3)
            self.replies[reply.headers["X-Farside"]] += 1
            if reply.status == 204:
                self.acknowledged.append(view_id)
            due += self._every_s
            time.sleep(max(0.0, due - time.monotonic()))
        connection.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def state(running: Running) -> dict[str, Any]:
    return dict(json.loads(send(f"{running.url}/readyz").body))


def watermark(running: Running) -> float:
    return datetime.fromisoformat(state(running)["watermark"]).timestamp()


def wait_out(running: Running, seconds: float) -> dict[str, Any]:
    """Look at the overview and at readiness all through the outage; what they said."""
    overview: Counter[str] = Counter()
    ready: Counter[str] = Counter()
    slowest_ms = 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        page = send(f"{running.url}/")
        slowest_ms = max(slowest_ms, (time.perf_counter() - started) * 1e3)
        since = "away since" in page.body.decode().lower()
        overview[f"{page.status}, {'says' if since else 'does not say'} since when"] += 1
        reply = send(f"{running.url}/readyz")
        named = json.loads(reply.body)["store"] != "ok"
        ready[f"{reply.status}, {'names' if named else 'does not name'} the store"] += 1
        time.sleep(0.5)
    return {"overview": dict(overview), "overview_slowest_ms": round(slowest_ms), "readyz": dict(ready)}


def drain(running: Running) -> dict[str, float]:
    """Bring the store back and wait until all that was received by then can be queried."""
    back = time.time()
    stuck_at = watermark(running)
    command(running, RENAME_BACK)
    while state(running)["store"] != "ok" and watermark(running) == stuck_at and not loaded(running):
        time.sleep(0.05)
    noticed = time.time()
    while watermark(running) < back:
        time.sleep(0.05)
    done = time.time()
    return {"until_noticed_s": round(noticed - back, 2), "drain_s": round(max(done - noticed, 0.05), 2)}


def loaded(running: Running) -> bool:
    """Whether a segment has come in within the last seconds: the first sign that the loader is at work again."""
    return bool(running.value("SELECT count() > 0 FROM segments WHERE loaded_at > now() - INTERVAL 1 SECOND"))


def missing(running: Running, pages: Pages) -> dict[str, int]:
    rows = running.rows("SELECT view_id AS v, count() AS n FROM events GROUP BY v SETTINGS max_result_rows = 0")
    found = {row["v"]: row["n"] for row in rows}
    wanted = set(pages.acknowledged)
    return {
        "acknowledged_views": len(wanted),
        "events": len(wanted) * pages.events_each,
        "lost": sum(found.get(view, 0) < pages.events_each for view in wanted),
        "doubled": sum(found.get(view, 0) > pages.events_each for view in wanted),
    }


def main(seconds: float, rate: float) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="farside-outage-"))
    running = Running(folder)
    try:
        pages = Pages(running, rate)
        try:
            time.sleep(BEFORE_S)
            command(running, RENAME)
            meanwhile = wait_out(running, seconds)
            waiting = state(running)["backlog_bytes"]
            times = drain(running)
        finally:
            pages.stop()
        running.settled()
        counts = missing(running, pages)
    finally:
        running.kill()
        shutil.rmtree(folder)
    return {
        "cores": os.cpu_count(),
        "away_s": seconds,
        "events_per_s": rate,
        "replies": dict(pages.replies),
        "slowest_reply_ms": round(pages.slowest_ms),
        "meanwhile": meanwhile,
        "backlog_bytes": waiting,
        **times,
        "drain_speed": round(seconds / times["drain_s"], 1),
        **counts,
    }


def broken(result: dict[str, Any]) -> list[str]:
    """Promises that were not kept."""
    promises = {
        "every beacon is kept": set(result["replies"]) == {"stored"},
        "nothing is lost or doubled": not result["lost"] and not result["doubled"],
        f"it drains at {DRAIN_AT_LEAST} times real time": result["drain_speed"] >= DRAIN_AT_LEAST,
        "the overview says since when": "200, says since when" in result["meanwhile"]["overview"],
        "doors stay ready": not any(said.startswith("503") for said in result["meanwhile"]["readyz"]),
    }
    return [promise for promise, kept in promises.items() if not kept]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=1_000)
    options = parser.parse_args()
    outcome = main(options.seconds, options.rate)
    outcome["broken"] = broken(outcome)
    print(json.dumps(outcome, indent=1))
    sys.exit(bool(outcome["broken"]))
