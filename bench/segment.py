"""What a segment costs the engine: processor time of the proof and of the insert, by how many lines it holds.

Usage: python -m bench.segment     prints JSON
"""

import json
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.load import fullest
from collector.beacon import decode
from collector.enrich import Line, enrich
from collector.spool import checksummed
from collector.store import Store
from tests.conftest import an_arrival


def lines(n: int) -> bytes:
    """`n` spooled lines of the fullest golden beacon, with ids of their own."""
    golden, arrival = fullest(), an_arrival(received_at=int(time.time() * 1000))
    found = []
    for _ in range(n):
        own = golden | {"beacon_id": secrets.token_hex(16), "view_id": secrets.token_hex(16)}
        line = enrich(decode(json.dumps(own).encode()), arrival)
        assert isinstance(line, Line)
        found.append(checksummed(msgspec.json.encode(line)))
    return b"".join(found)


def cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return round((time.process_time() - began) * 1e3, 1)


def main() -> list[dict[str, Any]]:
    events = len(fullest()["events"])  # type: ignore[arg-type]
    found = []
    with tempfile.TemporaryDirectory(prefix="farside-bench-") as folder:
        store = Store(f"chdb://{folder}/chdb", scratch=Path(folder) / "tmp")
        store.open()
        for n in (1, 1, 10, 100, 1_000, 2_000, 8_000):
            data = lines(n)
            prove, insert = (
                cpu_ms(lambda d=data: store.prove(d)),
                cpu_ms(lambda d=data: store.insert(d, secrets.token_hex(16))),
            )
            each = round((prove + insert) * 1e3 / (n * events), 1)
            found.append({"lines": n, "prove_cpu_ms": prove, "insert_cpu_ms": insert, "cpu_us_per_event": each})
        store.close()
    return found[1:]


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
