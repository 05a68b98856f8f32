"""Erasing a person: out of every table, for good, and nobody else with them."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector import erasure
from collector.load import Loader, replay
from collector.spool import checksummed
from collector.store import Store
from collector.store.erase import condition, tables
from tests.conftest import ROOT, Running, a_beacon
from tests.test_load import a_line, count, ledger, seal

# Tables with a column that sounds like a visitor's and is none.
NOT_ABOUT_VISITORS: set[str] = set()


def farside(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "collector", *arguments], check=False, capture_output=True, text=True, env=environment
    )


def ann_and_bob() -> dict[str, list[bytes]]:
    """Lines of two people: a session of Ann's that began before she signed in, one she left to Bob, and one of Bob's."""
    ann, shared, bob = (secrets.token_hex(16) for _ in range(3))
    view = {"type": "view", "span_id": secrets.token_hex(8)}
    return {
        "ann": [
            a_line(view, session_id=ann),
            a_line(view, {"type": "mark", "name": "m"}, session_id=ann, user_id="ann"),
            a_line(view, session_id=shared, user_id="ann"),
        ],
        "bob": [a_line(view, session_id=shared, user_id="bob"), a_line(view, session_id=bob, user_id="bob")],
        "sessions": [ann.encode(), shared.encode(), bob.encode()],
    }


def people(store: Store) -> set[str]:
    return {row["user_id"] for row in store.read("SELECT DISTINCT user_id FROM events")}


def test_a_user_is_gone_from_every_table_and_others_are_not(store: Store, tmp_path: Path) -> None:
    loader = Loader(tmp_path / "spool", store)
    lines = ann_and_bob()
    seal(loader.folder, *lines["ann"], *lines["bob"])
    loader.step()
    assert (count(store), count(store, "otel_traces")) == (6, 5)
    reply = erasure.carry_out(store, loader.folder, erasure.Request("user", "ann", "", "root"))
    assert people(store) == {"bob"}
    assert count(store) == 2
    # A span names its session and no user: of a session two people were in, all spans go.
    assert (reply.sessions, reply.rows) == (2, {"events": 4, "otel_traces": 4})
    spans = store.read("SELECT DISTINCT ResourceAttributes['session.id'] AS session FROM otel_traces")
    assert [row["session"] for row in spans] == [lines["sessions"][2].decode()]
    (written,) = store.read("SELECT who, came_by, action, subject FROM audit")
    assert (written["who"], written["came_by"], written["action"]) == ("root", "command line", "person erased")
    assert "ann" not in written["subject"]
    assert "ann" not in str(store.read("SELECT * FROM erased"))
    loader.close()


def test_one_session_in_one_app(store: Store, tmp_path: Path) -> None:
    loader = Loader(tmp_path / "spool", store)
    lines = ann_and_bob()
    seal(loader.folder, *lines["ann"], *lines["bob"])
    loader.step()
    session = lines["sessions"][0].decode()
    request = erasure.Request("session", session, "elsewhere", "root")
    assert erasure.carry_out(store, loader.folder, request).rows == {}
    request.app = "demo"
    assert erasure.carry_out(store, loader.folder, request).rows == {"events": 3, "otel_traces": 2}
    assert people(store) == {"ann", "bob"}, "what she did elsewhere is another session"
    loader.close()


def test_no_replay_brings_anybody_back_and_who_comes_back_is_welcome(store: Store, tmp_path: Path) -> None:
    loader = Loader(tmp_path / "spool", store)
    lines = ann_and_bob()
    segment = loader.freeze([seal(loader.folder, *lines["ann"], *lines["bob"])])
    assert segment
    archived = tmp_path / segment.name
    archived.write_bytes(segment.read_bytes())
    loader.step()
    quarantined = loader.folder / "quarantine" / f"{'c' * 32}.jsonl"
    poison = checksummed(b'{"line_id":"%b","received_at":1790000000000,"session_id":7}' % (b"e" * 32))
    quarantined.write_bytes(poison + lines["ann"][1] + lines["bob"][1])
    waiting = a_line({"type": "view"}, user_id="ann")
    reply = erasure.carry_out(store, loader.folder, erasure.Request("user", "ann", "", "root"))
    assert reply.lines == 1
    assert quarantined.read_bytes() == poison + lines["bob"][1]
    # An archive from before, on a store that has forgotten its name; and a line that waited in the spool all the while.
    store._writer.command("TRUNCATE TABLE segments")
    store._writer.command("TRUNCATE TABLE events")
    store._writer.command("TRUNCATE TABLE outcomes")
    placed = replay(loader.folder, [archived])[0][1]
    (loader.folder / f"{placed}.segment").rename(loader.folder / f"{'d' * 32}.segment")
    seal(loader.folder, waiting)
    loader.step()
    assert people(store) == {"bob"}
    assert ledger(store) == {"stored": 2, "erased": 5}
    seal(loader.folder, a_line({"type": "view"}, user_id="ann"))
    loader.step()
    assert people(store) == {"ann", "bob"}
    loader.close()


def test_what_was_erased_leaves_the_disk_too(store: Store, tmp_path: Path) -> None:
    loader = Loader(tmp_path / "spool", store)
    lines = ann_and_bob()
    seal(loader.folder, *lines["ann"], *lines["bob"])
    loader.step()
    erasure.carry_out(store, loader.folder, erasure.Request("user", "ann", "", "root"))
    masked = "SELECT count() AS n FROM system.parts WHERE active AND database = 'farside' AND has_lightweight_delete"
    assert store.read(masked)[0]["n"] >= 2
    assert store.wipe() == ["events", "otel_traces"]
    assert store.read(masked)[0]["n"] == 0
    assert (store.wipe(), people(store)) == ([], {"bob"})
    loader.close()


def test_no_table_with_something_of_a_visitor_is_forgotten(store: Store) -> None:
    """Whoever adds a table with a session, a user or a view in it has erased them, or says here why not."""
    found = tables(store._writer, "farside")
    assert {"events", "otel_traces"} <= {table for table, columns in found.items() if condition(columns)}
    for table, columns in found.items():
        personal = {
            column for column in columns if any(word in column for word in ("session", "user_id", "view_id", "visitor"))
        }
        assert not personal or condition(columns) or table in NOT_ABOUT_VISITORS, (table, personal)


def test_a_running_collector_is_asked(spawn: Callable[..., Running]) -> None:
    collector = spawn()
    session = secrets.token_hex(16)
    for user in ("ann", "bob"):
        assert collector.post(a_beacon(user_id=user, session_id=session if user == "ann" else "b" * 32)).status == 204
    collector.wait_for("SELECT count() = 2 FROM events")
    done = farside("erase", "--user", "ann", "--data", str(collector.data))
    assert done.returncode == 0, done.stderr
    assert "1 session(s); rows: 1 of events" in done.stdout
    assert collector.rows("SELECT user_id FROM events") == [{"user_id": "bob"}]
    assert list((collector.data / "erase").iterdir()) == []
    assert (
        "nothing was stored under this id" in farside("erase", "--user", "anne", "--data", str(collector.data)).stdout
    )
    misspelt = farside("erase", "--session", "abc", "--data", str(collector.data))
    assert misspelt.returncode == 2
    assert "32 hexadecimal digits" in misspelt.stderr
    assert "ann" not in collector.log
    collector.kill(signal.SIGTERM)
    alone = farside("erase", "--session", "b" * 32, "--data", str(collector.data))
    assert alone.returncode == 0, alone.stderr
    assert "1 of events" in alone.stdout
    again = spawn()
    again.settled()
    assert again.value("SELECT count() FROM events") == 0


@pytest.mark.parametrize("arguments", [[], ["--user", ""], ["--user", "a", "--session", "b"]])
def test_a_request_that_means_nobody_or_two_is_refused(arguments: list[str], tmp_path: Path) -> None:
    assert farside("erase", *arguments, "--data", str(tmp_path)).returncode == 2
