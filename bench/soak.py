"""A soak: the demo's visitors for as long as one likes; does memory stay flat, does the ledger add up, is the log clean?

Usage: python -m bench.soak --minutes 30 [--visitors 2]     prints JSON, and a line a minute on the way
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.door import fetch, free_port, lag_after
from collector.store import Store

WARM_UP = 1 / 3


@contextmanager
def process(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of Farside's commands, asked to stop at the end."""
    with log.open("w") as said:
        running = subprocess.Popen([sys.executable, "-m", *arguments], stdout=said, stderr=said)
        try:
            yield running
        finally:
            running.terminate()
            running.wait(60)


def memory_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024, 1)


def counted(url: str) -> dict[str, int]:
    """Events by outcome, as the process has counted them."""
    found = re.findall(
        r'farside_events_total\{app="\w*",outcome="(\w+)"\} ([\d.e+]+)', fetch(f"{url}/metrics")[1].decode()
    )
    totals: dict[str, int] = {}
    for outcome, n in found:
        totals[outcome] = totals.get(outcome, 0) + int(float(n))
    return totals


def main(minutes: float, visitors: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="farside-soak-") as folder:
        data, port = Path(folder) / "data", free_port()
        url, log = f"http://127.0.0.1:{port}", Path(folder) / "farside.log"
        serve = ("collector", "serve", "--data", str(data), "--port", str(port))
        demo = ("collector.demo", "--collector", url, "--port", "0", "--traffic", str(visitors), "--pace", "0.5")
        with process(log, *serve) as collector:
            with process(Path(folder) / "demo.log", *demo):
                sizes = watched(collector, minutes)
            lag_after(url)
            totals = counted(url)
        stored = in_store(data)
        complaints = [line for line in log.read_text().splitlines() if re.search(r"ERROR|Traceback|CRITICAL", line)]
    after = sizes[int(len(sizes) * WARM_UP) :]
    third = max(len(after) // 3, 1)
    growth = statistics.median(after[-third:]) / statistics.median(after[:third]) - 1
    return {
        "minutes": minutes,
        "events_counted_by_the_door": totals,
        "events_in_the_store": stored,
        # What was acknowledged is a row, or the loader knew it for a repeat; it says so in the ledger.
        "ledger_is_exact": totals["stored"] == stored["rows"] + stored["repeats"]
        and stored["rows"] == stored["outcomes"],
        "memory_mib": {"start": sizes[0], "after_warm_up": after[0], "end": sizes[-1], "most": max(sizes)},
        "growth_after_warm_up": round(growth, 4),
        "errors_in_the_log": complaints[:10],
    }


def watched(collector: subprocess.Popen[bytes], minutes: float) -> list[float]:
    """The collector's memory, every five seconds."""
    sizes = []
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        time.sleep(5)
        sizes.append(memory_mib(collector.pid))
        if len(sizes) % 12 == 0:
            print(f"{len(sizes) // 12} min: {sizes[-1]} MiB", file=sys.stderr, flush=True)
    return sizes


def in_store(data: Path) -> dict[str, int]:
    """What the tables hold: rows of events and backend spans, and what the ledger says was stored."""
    store = Store(f"chdb://{data / 'chdb'}", scratch=data / "tmp")
    store.open()
    rows = "(SELECT count() FROM events) + (SELECT count() FROM otel_traces WHERE ServiceName != 'browser')"
    ledger = "(SELECT sum(n) FROM outcomes WHERE outcome = '{}')".format
    found = store.read(f"SELECT {rows} AS rows, {ledger('stored')} AS outcomes, {ledger('repeat')} AS repeats")[0]
    store.close()
    return {name: int(value) for name, value in found.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--visitors", type=int, default=2)
    options = parser.parse_args()
    print(json.dumps(main(options.minutes, options.visitors), indent=1))
