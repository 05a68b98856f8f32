"""The short way of whole beacons: the same replies as on the ordinary way, in the order of the requests."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from uvicorn.server import ServerState

from collector.ingest import BeaconDoor, Door
from collector.ingest.bodies import Bodies
from collector.ingest.express import express
from collector.outcomes import Outcome, Refused, Tally
from collector.settings import load
from collector.spool import Spool
from tests.conftest import Running, a_beacon, as_bytes, wait_until


def request(body: bytes, *, method: str = "POST", path: str = "/b", headers: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def connection(collector: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", collector.port), timeout=15) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


def replies(client: socket.socket, n: int) -> list[tuple[bytes, dict[str, str], bytes]]:
    """The next `n` replies: status line, headers, body."""
    found, data = [], b""
    while len(found) < n:
        while b"\r\n\r\n" not in data:
            data += client.recv(65_536) or pytest.fail(f"hung up after {data!r}")
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0))
        while len(data) < length:
            data += client.recv(65_536)
        found.append((first.encode(), headers, data[:length]))
        data = data[length:]
    assert data == b""
    return found


def in_two_pieces(client: socket.socket, data: bytes, at: int) -> None:
    """So that the second piece is not there when the first is read."""
    client.sendall(data[:at])
    time.sleep(0.05)
    client.sendall(data[at:])


@pytest.mark.parametrize(
    "body",
    [
        as_bytes(a_beacon()),
        as_bytes(a_beacon({"type": "view"}, {"type": "sonnet"})),
        as_bytes(a_beacon(config="old")),
        as_bytes(a_beacon(key="nobody")),
        b"{",
        b"",
    ],
    ids=["kept", "one event refused", "config", "unknown key", "no json", "empty"],
)
def test_both_ways_give_the_same_reply(shared_collector: Running, body: bytes) -> None:
    with connection(shared_collector) as client:
        client.sendall(request(body))
        whole = replies(client, 1)
        in_two_pieces(client, request(body), 30)
        torn_in_the_head = replies(client, 1)
        in_two_pieces(client, request(body), len(request(body)) - len(body) // 2)
        assert whole == torn_in_the_head == replies(client, 1)


class Wire(asyncio.Transport):
    """What a connection is written to; `reply` is there when an answer is."""

    def __init__(self) -> None:
        super().__init__()
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.reply.set_result(bytes(data))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        return


def test_only_what_comes_whole_goes_the_short_way(tmp_path: Path) -> None:
    async def main() -> None:
        spool = Spool(tmp_path / "spool", cap_bytes=1 << 30, seal_after_s=0.05)
        spool.start()
        beacons = BeaconDoor(Door(load(None, flags={"data": tmp_path}), spool, Tally(CollectorRegistry())))
        config = uvicorn.Config(beacons, log_config=None, http=express(beacons))
        config.load()
        for pieces, tasks in ((1, 0), (2, 1)):
            state = ServerState()
            protocol = express(beacons)(config=config, server_state=state, app_state={})
            wire = Wire()
            protocol.connection_made(wire)
            data = request(as_bytes(a_beacon()))
            for begin in range(0, len(data), len(data) // pieces + 1):
                protocol.data_received(data[begin : begin + len(data) // pieces + 1])
            assert len(state.tasks) == tasks
            assert (await wire.reply).startswith(b"HTTP/1.1 204")
            protocol.connection_lost(None)
        spool.close()

    asyncio.run(main())


def test_an_origin_that_is_not_on_the_list_is_refused_on_the_short_way(shared_collector: Running) -> None:
    with connection(shared_collector) as client:
        client.sendall(request(as_bytes(a_beacon()), headers="Origin: https://elsewhere.example\r\n"))
        ((status, headers, body),) = replies(client, 1)
    assert (status, headers["x-farside"]) == (b"HTTP/1.1 403 Forbidden", "origin_refused")
    assert json.loads(body)["outcome"] == "origin_refused"


def test_requests_in_one_piece_are_answered_in_their_order(shared_collector: Running) -> None:
    good = as_bytes(a_beacon())
    several = [
        request(good),
        request(b"", method="GET", path="/healthz"),
        request(b"{"),
        request(b"", method="OPTIONS"),
        request(as_bytes(a_beacon())),
    ]
    with connection(shared_collector) as client:
        client.sendall(b"".join(several))
        found = replies(client, 5)
        assert [status.split()[1] for status, _, _ in found] == [b"204", b"200", b"400", b"204", b"204"]
        assert found[1][2] == b"ok\n"
        assert "access-control-allow-methods" in found[3][1]
        client.sendall(request(as_bytes(a_beacon())))
        assert replies(client, 1)[0][1]["x-farside"] == "stored", "the connection goes on"


def test_what_is_unusual_goes_the_ordinary_way(shared_collector: Running) -> None:
    body = as_bytes(a_beacon())
    with connection(shared_collector) as client:
        client.sendall(request(body, headers="Connection: close\r\n"))
        assert replies(client, 1)[0][1]["x-farside"] == "stored"
        assert client.recv(1) == b""
    with connection(shared_collector) as client:
        client.sendall(request(body, headers="Expect: 100-continue\r\n"))
        assert client.recv(4096).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    with connection(shared_collector) as client:
        chunked = b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(chunked + b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:]))
        assert replies(client, 1)[0][1]["x-farside"] == "stored"


def test_bytes_that_are_no_request_end_the_connection_only(shared_collector: Running) -> None:
    with connection(shared_collector) as client:
        client.sendall(b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400")
    with connection(shared_collector) as client:
        client.sendall(request(as_bytes(a_beacon())))
        assert replies(client, 1)[0][1]["x-farside"] == "stored"


def test_a_page_that_hangs_up_has_its_beacon_kept(shared_collector: Running) -> None:
    beacons = [a_beacon() for _ in range(20)]
    for beacon in beacons:
        with connection(shared_collector) as client:
            client.sendall(request(as_bytes(beacon)))
    ids = [beacon["view_id"] for beacon in beacons]
    count = "SELECT uniqExact(view_id) FROM events WHERE view_id IN {ids:Array(String)}"
    assert wait_until(lambda: shared_collector.value(count, ids=ids) == 20)
    assert "Traceback" not in shared_collector.log


def test_a_stop_answers_who_is_waiting_and_hangs_up(collector: Running) -> None:
    with connection(collector) as idle, connection(collector) as busy:
        idle.sendall(request(as_bytes(a_beacon())))
        assert replies(idle, 1)[0][1]["x-farside"] == "stored"
        busy.sendall(b"".join(request(as_bytes(a_beacon())) for _ in range(30)))
        assert collector.kill(signal.SIGTERM) == -signal.SIGTERM
        assert idle.recv(1) == b""
        assert busy.recv(65_536).startswith(b"HTTP/1.1 204")


def test_a_body_that_does_not_come_is_given_up_alone() -> None:
    async def main() -> tuple[list[object], float]:
        bodies = Bodies(deadline_s=0.3)

        async def never() -> dict[str, object]:
            await asyncio.sleep(60)
            return {}

        async def after(seconds: float) -> dict[str, object]:
            await asyncio.sleep(seconds)
            return {"type": "http.request", "body": b"late", "more_body": False}

        async def read(receive: object) -> bytes:
            return await bodies.read({}, receive, 100, 100)  # type: ignore[arg-type]

        began = time.monotonic()
        first = asyncio.create_task(read(never))
        await asyncio.sleep(0.1)
        second, third = asyncio.create_task(read(lambda: after(0.25))), asyncio.create_task(read(never))
        found = list(await asyncio.gather(first, second, third, return_exceptions=True))
        third_took = time.monotonic() - began
        fourth = asyncio.create_task(read(never))
        await asyncio.sleep(0.05)
        fourth.cancel()
        with pytest.raises(asyncio.CancelledError):  # from elsewhere: no matter of a deadline
            await fourth
        return found, third_took

    found, took = asyncio.run(main())
    assert [getattr(end, "outcome", end) for end in found] == [Outcome.TOO_SLOW, b"late", Outcome.TOO_SLOW]
    assert isinstance(found[0], Refused)
    assert 0.4 <= took < 2
