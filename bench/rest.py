"""How much memory `farside serve` holds at rest, with the engine inside and ten million events in it.

The collector is a process as users start it. Its pages are asked, then nobody asks anything for a while; what it holds
then is what counts. Usage: python -m bench.rest [--rows 10] [--rest-s 60] [--keep FOLDER]     prints JSON
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.traffic import fill
from collector.store import Store
from tests.conftest import free_port, send, wait_until

PAGES = ("/", "/overview.json", "/?range=24h", "/overview.json?range=24h", "/setup")


def held(pid: int) -> dict[str, int]:
    """Resident memory in MB: all of it, and what is not a page of a file."""
    text = Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.findall(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[0]) // 1024 for name in ("VmRSS", "RssAnon")}


def main(rows: int, rest_s: float, folder: Path) -> dict[str, Any]:
    chdb = folder / "chdb"
    if not chdb.exists():
        store = Store(f"chdb://{chdb}", folder / "tmp")
        store.open()
        fill(store, rows * 1_000_000, datetime.now(UTC))
        store.close()
    port = free_port()
    command = [sys.executable, "-m", "collector", "serve", "--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _is_ready(port), timeout_s=120)
        found = {"started": held(process.pid)}
        for page in PAGES * 4:
            send(f"http://127.0.0.1:{port}{page}")
        found["after pages"] = held(process.pid)
        time.sleep(rest_s)
        found["at rest"] = held(process.pid)
    finally:
        process.terminate()
        process.wait(60)
    return {"rows": rows * 1_000_000, "rest_s": rest_s, "MB": found}


def _is_ready(port: int) -> bool:
    try:
        return send(f"http://127.0.0.1:{port}/readyz").status == 200
    except OSError:
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10, help="millions")
    parser.add_argument("--rest-s", type=float, default=60)
    parser.add_argument("--keep", type=Path, help="a folder to fill once and use again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farside-bench-") as temporary:
        print(json.dumps(main(options.rows, options.rest_s, options.keep or Path(temporary)), indent=1))
