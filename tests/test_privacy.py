"""No address of a client at rest: every text in every table, and every other file under the data folder."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Running, a_beacon

ADDRESS = "203.0.113.77"
CONTROL = "planted-control-198.51.100.23"


def columns_with(collector: Running, text: str) -> list[str]:
    """Every column of every table that holds this text in a value: compressed parts hide from grep, not from SQL."""
    found = []
    for column in collector.rows(
        "SELECT table, name FROM system.columns WHERE database = 'farside'"
        " AND table IN (SELECT name FROM system.tables WHERE database = 'farside' AND engine LIKE '%MergeTree')"
    ):
        sql = (
            f"SELECT count() FROM `{column['table']}` WHERE position(toString(`{column['name']}`), {{text:String}}) > 0"
        )
        if collector.value(sql, text=text):
            found.append(f"{column['table']}.{column['name']}")
    return found


def files_with(folder: Path, text: str) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def test_no_address_at_rest(spawn: Callable[..., Running], monkeypatch) -> None:
    monkeypatch.setenv("FARSIDE_TRUSTED_HOPS", "1")
    monkeypatch.setenv("FARSIDE_RATE_PER_NETWORK", "1")
    collector = spawn()
    error = {
        "type": "error",
        "message": "m",
        "stack": f"at f (https://x/a.js:1:1) {CONTROL}",
        "attributes": {"k": CONTROL},
    }
    for _ in range(14):  # the last ones are over the rate, so that refusals are written too
        collector.post(a_beacon(error, {"type": "view", "span_id": "a" * 16}), x_forwarded_for=ADDRESS)
    collector.post(b"{", x_forwarded_for=ADDRESS)
    collector.settled()
    assert ("", "rate_limited") in collector.ledger()
    assert {"events.stack", "events.attributes"} <= set(columns_with(collector, CONTROL)), (
        "the search must find the planted"
    )
    assert columns_with(collector, ADDRESS) == []
    # The spool is where it would lie first; take the store away so that lines stay there to be searched.
    collector.rows("RENAME TABLE farside.lines TO farside.lines_away")
    collector.post(a_beacon(error), x_forwarded_for="192.0.2.9, 192.0.2.9")
    collector.kill(signal.SIGKILL)
    assert files_with(collector.data, CONTROL), "the search must find the planted"
    for address in (ADDRESS, "192.0.2.9"):
        assert files_with(tmp := collector.data, address) == [], tmp
    assert ADDRESS not in collector.log
