"""Pages: how long each takes over 1 M, 10 M and 100 M events, asked over HTTP of a collector as users start it, and how
long an acknowledgement takes while ten readers click.

The data are those of `bench.query`: two weeks, of which the question's last seven days and the seven before hold half each.
Every page is asked with `wait=1`, or it would give up after two seconds and look quick; the first answer is not counted, and
no two ask of the same moment. Prints JSON: p50 and p95 in milliseconds and gzipped bytes for each page.

Usage: python -m bench.pages [--sizes 1,10] [--runs 20] [--range 7d] [--only /traces] [--data DIR --keep] [--readers 10]
"""

import argparse
import json
import math
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from bench.door import server
from bench.traffic import filled
from collector.query.question import milliseconds
from dashboards.pages import PAGES

MORE = ("/routes?route={route}", "/compare?lcp=>4000", "/explore?metric=requests_per_view&group_by=route")
LOAD_S = 20
RATE = 1_500  # beacons a second: half of what the door acknowledges beside its load generator
THINKS_S = 1.0


def addresses(parts: dict[str, str]) -> list[str]:
    """Every page, and some that ask more than their path says."""
    return [address.replace(":path}", "}").format(**parts) for address in (*(path for path, _, _ in PAGES), *MORE)]


def parts_of(client: httpx.Client, asked: dict[str, str]) -> dict[str, str]:
    """What stands for the parts of addresses: a view of the newest with all of them."""
    found = client.get("/overview.json", params=asked).json()
    view = next(view for view in found["views"] if view["user_id"])
    names = ("view_id", "session_id", "user_id", "trace_id", "route")
    return {name: view[name] for name in names} | {"team": "shop", "fingerprint": found["errors"][0]["fingerprint"]}


def timed(client: httpx.Client, address: str, asked: dict[str, str], runs: int) -> dict[str, Any]:
    """One page, over and over."""
    walls, size = [], 0
    for nr in range(runs + 1):
        given = urlencode(asked | {"at": str(int(asked["at"]) - nr)})
        begun = time.perf_counter()
        with client.stream("GET", f"{address}{'&' if '?' in address else '?'}{given}") as reply:
            size = sum(map(len, reply.iter_raw()))
            assert reply.status_code == 200, (address, reply.status_code)
        walls.append(1_000 * (time.perf_counter() - begun))
    walls = sorted(walls[1:])
    p95 = walls[math.ceil(0.95 * runs) - 1]
    return {"p50": round(statistics.median(walls)), "p95": round(p95), "gzip_bytes": size}


def acknowledged(url: str) -> dict[str, Any]:
    """How the door does for a while."""
    command = [sys.executable, "-m", "bench.load", url, "--seconds", str(LOAD_S), "--rate", str(RATE)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


@contextmanager
def clicking(url: str, pages: list[str], asked: dict[str, str], readers: int) -> Iterator[list[float]]:
    """Readers who open one page after another, each a second after the last was there; how long each took."""
    enough, took = threading.Event(), list[float]()

    def read(nr: int) -> None:
        order = random.Random(nr)
        with httpx.Client(base_url=url, timeout=60) as client:
            while not enough.wait(THINKS_S):
                page = order.choice(pages)
                begun = time.perf_counter()
                client.get(f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}")
                took.append(1_000 * (time.perf_counter() - begun))

    threads = [threading.Thread(target=read, args=(nr,)) for nr in range(readers)]
    for thread in threads:
        thread.start()
    yield took
    enough.set()
    for thread in threads:
        thread.join()


def at_size(folder: Path, millions: int, given: argparse.Namespace) -> dict[str, Any]:
    """Every page at one size."""
    with filled(folder, millions) as (_, until):
        pass
    with server("collector", "serve", "--data", str(folder)) as url, httpx.Client(base_url=url, timeout=120) as client:
        return asked_of(client, url, until, given)


def asked_of(client: httpx.Client, url: str, until: datetime, given: argparse.Namespace) -> dict[str, Any]:
    """What a collector that is up has to say."""
    asked = {"app": "demo", "range": given.range, "at": str(milliseconds(until))}
    patient = asked | {"wait": "1"}
    before = str(milliseconds(until) - 1_000)  # no page is asked of a time before what it shows
    pages = addresses(parts_of(client, patient | {"at": before}))
    found: dict[str, Any] = {}
    for page in pages:
        if given.only in page:
            found[page] = timed(client, page, patient, given.runs)
            sys.stderr.write(f"{page} {found[page]}\n")
    if not given.readers:
        return {"pages": found}
    alone = acknowledged(url)
    with clicking(url, pages, asked, given.readers) as took:
        beside = acknowledged(url)
    return {"pages": found, "acknowledged": alone, "while_readers_click": beside, "clicks": len(took)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--sizes", default="1,10", help="millions of rows, with commas between")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--range", default="7d")
    parser.add_argument("--only", default="", help="pages whose address contains this")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--data", type=Path, help="a folder for the rows; what is there already is used")
    parser.add_argument("--keep", action="store_true", help="leave the folder for the next time")
    given = parser.parse_args()
    folder = given.data or Path(tempfile.mkdtemp(prefix="farside-bench-"))
    sizes = [int(size) for size in given.sizes.split(",")]
    print(json.dumps({f"{size} M": at_size(folder / f"{size}m", size, given) for size in sizes}, indent=1))
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
