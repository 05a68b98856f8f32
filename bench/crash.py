"""The crash oracle: a collector under load is hurt at seeded moments, and afterwards every acknowledged event must be
in the store exactly once, in every table that holds events and in the sums of every rollup.

Usage: python -m bench.crash [--faults 1000] [--seed 1]     prints JSON; exit code 1 when anything was lost or doubled
"""

import argparse
import json
import random
import resource
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Running, a_beacon, as_bytes, send

CLIENTS = 3
FAULTS_PER_FOLDER = 50
# What a process survives is followed by a kill that often, before it has put anything right; else by the next fault.
KILLED_AFTERWARDS = 0.5


class Clients:
    """A few clients that never stop; each event has its number in `value`, each view its own span."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[str] = []
        self.refused: Counter[str] = Counter()
        self._stop = threading.Event()
        self._url = url
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            view_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
            view = {"type": "view", "span_id": span_id}
            beacon = a_beacon(view, {"type": "mark", "name": "m"}, view_id=view_id, span_id=span_id)
            for _ in range(2):  # a client that got no answer asks again with the same beacon
                try:
                    reply = send(f"{self._url}/b", as_bytes(beacon), origin="http://localhost")
                except OSError:
                    time.sleep(0.01)
                    continue
                if reply.status == 204:
                    self.acknowledged.append(view_id)
                else:
                    self.refused[reply.outcome] += 1
                break

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def kill(running: Running, chance: random.Random) -> None:
    running.kill()


def hang_then_kill(running: Running, chance: random.Random) -> None:
    running.process.send_signal(signal.SIGSTOP)
    time.sleep(chance.uniform(0.1, 0.5))
    running.kill()


def stop_cleanly(running: Running, chance: random.Random) -> None:
    running.kill(signal.SIGTERM, timeout_s=60)


def hang(running: Running, chance: random.Random) -> None:
    running.process.send_signal(signal.SIGSTOP)
    time.sleep(chance.uniform(0.1, 0.5))
    running.process.send_signal(signal.SIGCONT)
    perhaps_kill(running, chance)


def perhaps_kill(running: Running, chance: random.Random) -> None:
    if chance.random() < KILLED_AFTERWARDS:
        time.sleep(chance.uniform(0, 0.5))
        running.kill()


def tear(running: Running, chance: random.Random) -> None:
    """Kill, and leave half a line and noise behind what was durable, as a power cut does."""
    noise = chance.randbytes(300)
    running.kill()
    for path in (running.data / "spool").glob("*.open"):
        with path.open("ab") as file:
            file.write(b'{"checksum":"00000000","line_id":"' + noise)


def starve_of_disk(running: Running, chance: random.Random) -> None:
    """Every write beyond a few hundred bytes fails, in the middle; then there is room again."""
    limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (chance.randrange(300, 9_000), limits[1]))
    time.sleep(chance.uniform(0.1, 0.6))
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, limits)
    perhaps_kill(running, chance)


def take_the_store_away(running: Running, chance: random.Random) -> None:
    command(running, "RENAME TABLE farside.lines TO farside.lines_away")
    time.sleep(chance.uniform(0.1, 0.6))
    command(running, "RENAME TABLE farside.lines_away TO farside.lines")
    perhaps_kill(running, chance)


def fail_inside_a_view(running: Running, chance: random.Random) -> None:
    """A view that throws after its neighbours have already written: the retry must heal it without doubling."""
    command(running, "CREATE TABLE IF NOT EXISTS farside.zz_sink (x UInt8) ENGINE = Null")
    command(
        running,
        "CREATE MATERIALIZED VIEW farside.zz_thrower TO farside.zz_sink AS"
        " SELECT throwIf(length(line_id) > 0, 'planted') AS x FROM farside.lines",
    )
    time.sleep(chance.uniform(0.1, 0.6))
    command(running, "DROP TABLE farside.zz_thrower")
    command(running, "DROP TABLE farside.zz_sink")
    perhaps_kill(running, chance)


def command(running: Running, sql: str) -> None:
    running.rows(sql)


Fault = Callable[[Running, random.Random], None]
FAULTS: list[Fault] = [
    kill, hang, hang_then_kill, stop_cleanly, tear, starve_of_disk, take_the_store_away, fail_inside_a_view,
]  # fmt: skip


def fed_by_beacons(running: Running) -> set[str]:
    """Every table that some materialized view writes to, and every other that has a column of events but no writer known
    here: such a one is new, and somebody must say how it is checked."""
    views = running.rows(
        "SELECT extract(create_table_query, ' TO `?farside`?\\.`?(\\w+)`?') AS target FROM system.tables"
        " WHERE database = 'farside' AND engine = 'MaterializedView'"
    )
    columns = running.rows(
        "SELECT DISTINCT table FROM system.columns WHERE database = 'farside' AND name IN ('view_id', 'TraceId')"
        " AND table IN (SELECT name FROM system.tables WHERE database = 'farside' AND engine LIKE '%MergeTree')"
    )
    return {row["target"] for row in views} | {row["table"] for row in columns}


def verdict(running: Running, acknowledged: list[str]) -> dict[str, Any]:
    """Compare what was acknowledged with every table that holds some of it; tables are asked for, not listed here."""
    running.settled(timeout_s=120)
    tables = fed_by_beacons(running)
    counts: dict[str, Any] = {}
    wanted = set(acknowledged)
    per_view = {
        "events": ("SELECT view_id AS v, count() AS n FROM events GROUP BY v", 2),
        "otel_traces": ("SELECT SpanAttributes['farside.view_id'] AS v, count() AS n FROM otel_traces GROUP BY v", 1),
    }
    for table, (sql, each) in per_view.items():
        found = {row["v"]: row["n"] for row in running.rows(sql)}
        counts[table] = {
            "lost": len(wanted - set(found)),
            "doubled": sum(n != each for n in found.values()),
            "unacknowledged": len(set(found) - wanted),
        }
    events = running.value("SELECT count() FROM events")
    ledger = running.value("SELECT sum(n) FROM outcomes WHERE outcome = 'stored'")
    counts["outcomes"] = {"stored_minus_events": ledger - events}
    traces = running.value("SELECT uniqExact(TraceId) FROM otel_traces")
    counts["otel_traces_trace_id_ts"] = {
        "missing": traces - running.value("SELECT uniqExact(TraceId) FROM otel_traces_trace_id_ts")
    }
    summed = running.value("SELECT sum(n) FROM span_lengths")
    counts["span_lengths"] = {"sum_minus_spans": summed - running.value("SELECT count() FROM otel_traces")}
    counts["refusal_details"] = {
        "of_nothing_refused": running.value(
            "SELECT count() FROM refusal_details"
            " WHERE (app, outcome, minute) NOT IN (SELECT app, outcome, minute FROM outcomes)"
        )
    }
    unknown = tables - set(counts)
    assert not unknown, f"the oracle does not know how to check {unknown}: teach it"
    return counts


def live(folder: Path, most: int, chance: random.Random, kinds: list[Fault]) -> tuple[list[str], Clients]:
    """One process under load until a fault ends it, or as many have been survived; their names, and what clients saw."""
    running = Running(folder)
    clients = Clients(running.url)
    done: list[str] = []
    while len(done) < most and running.process.poll() is None:
        time.sleep(chance.uniform(0.05, 0.8))
        fault = chance.choice(kinds)
        fault(running, chance)
        done.append(fault.__name__)
    if running.process.poll() is None:
        running.kill()
    clients.stop()
    return done, clients


def main(faults: int, seed: int, per_folder: int = FAULTS_PER_FOLDER) -> dict[str, Any]:
    """Hurt it that often; `bad` in the answer is empty when nothing was lost or doubled."""
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    lives = total = 0
    bad: list[Any] = []
    while done.total() < faults:
        folder = Path(tempfile.mkdtemp(prefix="farside-crash-"))
        acknowledged: list[str] = []
        until = min(done.total() + per_folder, faults)
        while done.total() < until:
            names, clients = live(folder, until - done.total(), chance, FAULTS)
            acknowledged += clients.acknowledged
            refused += clients.refused
            done.update(names)
            lives += 1
        last = Running(folder)
        found = verdict(last, acknowledged)
        last.kill()
        total += len(acknowledged)
        wrong = [n for table in found.values() for name, n in table.items() if name != "unacknowledged" and n]
        if wrong:
            bad.append({"folder": str(folder), "seed": seed, "after": done.total(), "found": found})
        else:
            shutil.rmtree(folder)
        print(f"{done.total()} faults, {total} beacons acknowledged, {len(bad)} bad: {found}", file=sys.stderr)
    result = {"seed": seed, "faults": dict(done), "lives": lives, "acknowledged": total, "refused": dict(refused)}
    return result | {"bad": bad}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    result = main(options.faults, options.seed)
    print(json.dumps(result, indent=1))
    sys.exit(bool(result["bad"]))
