"""kill -9 after a 204 loses nothing and doubles nothing."""

import secrets
import signal
import threading
import time
from collections.abc import Callable

from bench import crash
from tests.conftest import Running, a_beacon

SEED = 72  # one with which twelve faults are of every kind


def test_kill_right_after_the_acknowledgement(spawn: Callable[..., Running]) -> None:
    beacon = a_beacon({"type": "view"}, {"type": "mark", "name": "here"})
    first = spawn()
    assert first.post(beacon).status == 204
    first.kill()
    second = spawn()
    second.settled()
    assert second.value("SELECT count() FROM events WHERE view_id = {id:String}", id=beacon["view_id"]) == 2


def test_kill_under_load_again_and_again(spawn: Callable[..., Running]) -> None:
    """Four clients send without pause while the collector is killed at moments nobody chose, then it all must be there."""
    acknowledged: list[str] = []
    for _ in range(4):
        running = spawn()
        stop = threading.Event()

        def send_until_told(running: Running = running, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                view_id = secrets.token_hex(16)
                try:
                    if running.post(a_beacon(view_id=view_id)).status == 204:
                        acknowledged.append(view_id)
                except OSError:
                    return

        clients = [threading.Thread(target=send_until_told) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.6 + secrets.randbelow(900) / 1000)
        running.kill()
        stop.set()
        for client in clients:
            client.join()
    last = spawn()
    last.settled()
    rows = last.rows("SELECT view_id, count() AS n FROM events GROUP BY view_id")
    stored = {row["view_id"]: row["n"] for row in rows}
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(stored)
    assert set(stored.values()) == {1}
    assert last.ledger()["demo", "stored"] == len(stored)
    # An unacknowledged beacon may have reached the disk before the kill; there can be one for every client and kill.
    assert len(stored) - len(acknowledged) <= 16


def test_a_clean_stop_leaves_the_ledger_exact(spawn: Callable[..., Running]) -> None:
    first = spawn()
    for _ in range(5):
        first.post(a_beacon())
        first.post(a_beacon(key="nobody"))
    assert first.kill(signal.SIGTERM) == -signal.SIGTERM, first.log  # uvicorn ends by the signal it was given
    second = spawn()
    second.settled()
    assert second.ledger() == {("demo", "stored"): 5, ("", "unknown_key"): 5}


def test_the_oracle_finds_nothing_lost_or_doubled_after_seeded_faults() -> None:
    """`make crash` does this a thousand times; the tables it checks are found, so that a new one cannot be forgotten."""
    result = crash.main(faults=12, seed=SEED)
    assert result["bad"] == []
    assert set(result["faults"]) == {fault.__name__ for fault in crash.FAULTS}
    assert result["acknowledged"] > 20
