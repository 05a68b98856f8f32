"""The door: what it keeps is on disk, what it refuses has a name, and one client's mistake is nobody else's."""

import gzip
import json
import secrets
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest

from collector.outcomes import Outcome
from tests.conftest import GOLDEN, Running, a_beacon, as_bytes, send, wait_until


def test_a_stored_beacon_says_so_and_its_events_are_there(collector: Running) -> None:
    beacon = a_beacon({"type": "vital", "name": "LCP", "value": 1234.5, "at": 1234}, {"type": "view"})
    reply = collector.post(beacon)
    assert (reply.status, reply.outcome) == (204, "stored")
    collector.settled()
    rows = collector.rows("SELECT type, name, value, app, session_id, route FROM events ORDER BY type")
    assert [(r["type"], r["name"], r["value"]) for r in rows] == [("view", "", None), ("vital", "LCP", 1234.5)]
    assert {(r["app"], r["session_id"], r["route"]) for r in rows} == {("demo", beacon["session_id"], "/products/:id")}


@pytest.mark.parametrize(
    ("body", "headers", "status", "outcome"),
    [
        (b"{", {}, 400, "bad_json"),
        (b"", {}, 400, "bad_json"),
        (b"\xff\xfe", {}, 400, "bad_json"),
        (b'{"events":' + b"[" * 100_000, {}, 400, "bad_json"),
        (as_bytes(a_beacon(v=2)), {}, 400, "bad_version"),
        (as_bytes(a_beacon(view_id="short")), {}, 400, "bad_beacon"),
        (as_bytes(a_beacon(seq=-1)), {}, 400, "bad_beacon"),
        (as_bytes(a_beacon(sent_at=1e300)), {}, 400, "bad_beacon"),
        (as_bytes(a_beacon(events=[])), {}, 400, "no_event"),
        (as_bytes(a_beacon({"type": "sonnet"})), {}, 400, "no_event"),
        (as_bytes(a_beacon(key="nobody")), {}, 403, "unknown_key"),
        (as_bytes(a_beacon()), {"origin": "https://elsewhere.example"}, 403, "origin_refused"),
        (as_bytes(a_beacon()), {"origin": "null"}, 403, "origin_refused"),
        (as_bytes(a_beacon(attributes={"a": "x" * 300_000})), {}, 413, "too_large"),
        (gzip.compress(b" " * 2_000_000), {"content_encoding": "gzip"}, 413, "too_large"),
        (b"not gzip", {"content_encoding": "gzip"}, 415, "bad_encoding"),
        (gzip.compress(as_bytes(a_beacon()))[:-9], {"content_encoding": "gzip"}, 415, "bad_encoding"),
        (as_bytes(a_beacon()), {"content_encoding": "br"}, 415, "bad_encoding"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_refusal_has_a_name_that_scripts_can_read(
    shared_collector: Running, body: bytes, headers: dict[str, str], status: int, outcome: str
) -> None:
    before = shared_collector.ledger()
    reply = shared_collector.post(body, **headers)
    assert (reply.status, reply.outcome) == (status, outcome)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "X-Farside" in reply.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in reply.headers
    told = json.loads(reply.body)
    assert told["outcome"] == outcome
    assert told["message"].startswith(Outcome(outcome).meaning)
    # The refusal reaches the ledger by way of the spool, about a second later.
    shared_collector.wait_for(
        "SELECT sum(n) > {before:UInt64} FROM outcomes WHERE outcome = {outcome:String}",
        outcome=outcome,
        before=sum(n for (_, o), n in before.items() if o == outcome),
    )


def test_a_bad_event_leaves_its_neighbours_alone(collector: Running) -> None:
    good = {"type": "mark", "name": "kept"}
    bad: list[Any] = [
        {"type": "vital", "name": "LCP"},
        {"type": "vital", "name": "XYZ", "value": 1},
        {"type": "fetch", "name": "GET", "url": "/a", "status_code": 70_000},
        {"type": "fetch", "name": "GET", "url": "/a", "status_code": -1},
        {"type": "mark", "name": "x" * 257},
        {"type": "mark", "name": "n", "phases": {"a": None}},
        7,
        None,
    ]
    reply = collector.post(a_beacon(good, *bad, good, {"type": "haiku"}, good))
    assert (reply.status, reply.headers["x-farside-refused"]) == (204, "9")
    assert "event_invalid: Expected `int` <= 65535 - at `$.status_code`" in reply.headers["x-farside-reason"]
    collector.settled()
    assert collector.value("SELECT count() FROM events WHERE name = 'kept'") == 3
    assert collector.ledger() == {
        ("demo", "stored"): 3,
        ("demo", "event_invalid"): 8,
        ("demo", "event_unknown_type"): 1,
    }


def test_what_a_reason_quotes_cannot_become_a_header(shared_collector: Running) -> None:
    reply = shared_collector.post(a_beacon({"type": "view"}, {"type": "x\r\nX-Planted: 1\r\n\r\nbody\x00\x7fé"}))
    assert (reply.status, reply.body, "x-planted" in reply.headers) == (204, b"", False)
    reason = reply.headers["x-farside-reason"]
    assert "X-Planted" in reason
    assert reason.isascii()
    assert reason.isprintable()


def test_more_events_than_are_read_from_one_beacon_are_counted(collector: Running) -> None:
    collector.post(a_beacon(*[{"type": "mark", "name": "m"}] * 520))
    collector.settled()
    assert collector.ledger() == {("demo", "stored"): 500, ("demo", "event_over_limit"): 20}


def test_what_the_page_dropped_is_in_the_ledger(collector: Running) -> None:
    collector.post(a_beacon(dropped={"queue_full": 7}))
    collector.settled()
    assert collector.ledger()["demo", "client_queue_full"] == 7


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate"])
def test_compressed_bodies_are_read(shared_collector: Running, encoding: str) -> None:
    beacon = a_beacon()
    body = as_bytes(beacon)
    match encoding:
        case "gzip":
            packed = gzip.compress(body)
        case "deflate":
            packed = zlib.compress(body)
        case _:
            compressor = zlib.compressobj(wbits=-15)
            packed = compressor.compress(body) + compressor.flush()
    assert shared_collector.post(packed, content_encoding=encoding.split()[-1]).status == 204
    shared_collector.settled()
    assert shared_collector.value("SELECT count() FROM events WHERE view_id = {id:String}", id=beacon["view_id"]) == 1


def test_half_a_character_is_repaired(collector: Running) -> None:
    body = as_bytes(a_beacon({"type": "error", "message": "MARK"})).replace(
        b"MARK", rb"half \ud83d, whole \ud83d\ude00"
    )
    assert collector.post(body).status == 204
    collector.settled()
    assert collector.value("SELECT message FROM events") == "half \ufffd, whole 😀"


def test_a_network_over_its_rate_is_asked_to_wait_and_others_are_not(spawn: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("FARSIDE_TRUSTED_HOPS", "1")
    monkeypatch.setenv("FARSIDE_RATE_PER_NETWORK", "2")
    collector = spawn()
    replies = [collector.post(a_beacon(), x_forwarded_for="6.6.6.6, 203.0.113.7") for _ in range(30)]
    kept = [reply.outcome for reply in replies].count("stored")
    assert 20 <= kept <= 24
    assert (replies[-1].status, replies[-1].outcome) == (429, "rate_limited")
    assert int(replies[-1].headers["retry-after"]) > 0
    assert replies[-1].headers["access-control-allow-origin"] == "*"
    assert collector.post(a_beacon(), x_forwarded_for="203.0.113.7, 198.51.100.1").status == 204
    assert collector.post(a_beacon()).status == 204, "a client on this machine is not limited"
    collector.settled()
    assert collector.ledger() == {("demo", "stored"): kept + 2, ("", "rate_limited"): 30 - kept}


def test_a_key_over_its_rate(spawn: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("FARSIDE_RATE_PER_KEY", "1")
    monkeypatch.setenv("FARSIDE_LIMIT_LOOPBACK", "1")
    collector = spawn()
    outcomes = [collector.post(a_beacon()).outcome for _ in range(15)]
    assert outcomes.count("rate_limited") >= 3
    collector.settled()
    assert collector.ledger()["demo", "rate_limited"] == outcomes.count("rate_limited")


def test_remote_config_is_announced_to_those_who_have_another(spawn: Any, tmp_path: Path) -> None:
    (tmp_path / "farside.toml").write_text(
        "[apps.shop]\nkeys = ['k']\norigins = ['loopback']\n[apps.shop.remote]\nsample_n = 10\ncaptures = {marks = false}"
    )
    collector = spawn()
    assert "x-farside-config" not in collector.post(a_beacon()).headers, "nothing is announced where nothing was chosen"
    version = collector.post(a_beacon(key="k")).headers["x-farside-config"]
    config = json.loads(collector.get("/c/k").body)
    assert config == {
        "version": version,
        "enabled": True,
        "sample_n": 10,
        "tracing": True,
        "captures": {"marks": False},
    }
    assert "x-farside-config" not in collector.post(a_beacon(key="k", config=version)).headers
    assert collector.post(a_beacon(config=version)).headers["x-farside-config"] == "0"
    assert send(f"{collector.url}/c/nobody").status == 404


def test_a_settings_file_that_was_broken_meanwhile_is_told_on_every_page(spawn: Any, tmp_path: Path) -> None:
    settings = tmp_path / "farside.toml"
    settings.write_text("[apps.shop]\nkeys = ['k']\norigins = ['loopback']\n")
    collector = spawn()
    assert collector.get("/setup").body.count(b"cannot be used") == 0
    settings.write_text("[apps.shop]\nkeys = ['k', 'new'\norigins = ['loopback']\n")
    wait_until(lambda: b"The settings were changed, but cannot be used" in collector.get("/setup").body)
    page = collector.get("/").body.decode()
    assert "farside.toml: " in page
    assert "line 3" in page, "where the mistake is"
    assert collector.post(a_beacon(key="k")).outcome == "stored"
    assert collector.post(a_beacon(key="new")).outcome == "unknown_key"
    settings.write_text(
        "[apps.shop]\nkeys = ['k', 'new']\norigins = ['loopback']\n[apps.blog]\nkeys = ['b']\norigins = ['loopback']\n"
    )
    wait_until(lambda: b"cannot be used" not in collector.get("/setup").body)
    assert collector.post(a_beacon(key="new")).outcome == "stored"
    assert 'aria-label="App"' in collector.get("/").body.decode(), "the app that came is there to be chosen"
    assert ">blog</a>" in collector.get("/").body.decode()


def test_the_ledger_goes_on_whatever_lies_in_the_folder(collector: Running) -> None:
    (collector.data / "routes.json").write_text("[1, 2]")
    collector.settled()
    collector.post(a_beacon(key="nobody"))
    collector.settled()
    assert collector.ledger() == {("", "unknown_key"): 1}
    assert "Could not take over" in collector.log


def test_preflight_and_method(shared_collector: Running) -> None:
    preflight = send(f"{shared_collector.url}/b", method="OPTIONS", origin="https://any.example")
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")
    wrong = send(f"{shared_collector.url}/b", method="GET")
    assert (wrong.status, wrong.outcome) == (405, "bad_method")


def test_an_undeclared_flood_is_cut_off_at_the_cap(shared_collector: Running) -> None:
    with socket.create_connection(("127.0.0.1", shared_collector.port), timeout=10) as client:
        client.sendall(b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 64:
                client.sendall(chunk)
                sent += 1
        except OSError:  # it hung up, which is an answer too
            pass
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413"), answer


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_beacons_are_stored_whole(shared_collector: Running, path: Path) -> None:
    beacon = json.loads(path.read_text()) | {"beacon_id": secrets.token_hex(16), "view_id": secrets.token_hex(16)}
    reply = shared_collector.post(beacon)
    assert (reply.status, reply.headers.get("x-farside-refused")) == (204, None), reply.body
    shared_collector.settled()
    stored = shared_collector.value("SELECT count() FROM events WHERE view_id = {id:String}", id=beacon["view_id"])
    assert stored == len(beacon["events"])
