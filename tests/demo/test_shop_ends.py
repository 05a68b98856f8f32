"""The demo's processes: they stop when told, when one fails and when the parent is killed; and they keep quiet."""

import os
import signal
import socket
import time
from collections.abc import Callable

import httpx
import pytest

from collector.demo.roster import NAMES
from tests.demo.processes import running

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all(start, sink, number: signal.Signals) -> None:
    demo = start("--port=0", f"--collector={sink.url}")
    demo.opened()
    children = demo.children()
    assert len(children) == len(NAMES)
    demo.process.send_signal(number)
    assert demo.ended(15) == 0
    assert running(children) == set()


def test_nothing_outlives_a_killed_parent(start, sink) -> None:
    demo = start("--port=0", f"--collector={sink.url}", "--traffic=1")
    demo.opened()
    # The services, the visitors, and Playwright's and the browser's processes.
    assert eventually(lambda: len(demo.children()) > len(NAMES) + 4, within_s=60)
    children = demo.children()
    demo.process.kill()
    assert eventually(lambda: not running(children), within_s=20)


def test_a_service_that_dies_ends_the_demo_with_a_sentence(start, sink) -> None:
    demo = start("--port=0", f"--collector={sink.url}")
    demo.opened()
    children = demo.children()
    os.kill(max(children), signal.SIGKILL)
    assert demo.ended(20) == 1
    assert "ended with code -9" in demo.output
    assert running(children) == set()


def test_without_a_collector_the_shop_is_as_fast_and_says_so_once(start) -> None:
    demo = start("--port=0", f"--collector={NOBODY}")
    shop = demo.opened()
    said = len(demo.lines)
    assert f"No collector answers at {NOBODY}" in demo.lines[0]
    with httpx.Client() as client:
        took_s = []
        for _ in range(60):
            began = time.monotonic()
            assert client.get(shop).status_code == 200
            took_s.append(time.monotonic() - began)
            time.sleep(0.1)
    assert sorted(took_s)[len(took_s) // 2] < 0.2
    dropped = demo.lines[said:]
    assert len(dropped) <= len(NAMES)  # one for each service at most
    assert all("Spans do not reach" in line for line in dropped)
    began = time.monotonic()
    demo.process.terminate()
    assert demo.ended() == 0
    assert time.monotonic() - began < 8


def test_a_taken_port_is_said(start, sink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = start(f"--port={port}", f"--collector={sink.url}")
        assert demo.ended() == 1
        assert f"127.0.0.1:{port} cannot be listened on" in demo.output
        assert "--port" in demo.output


def test_a_wrong_address_is_said(start) -> None:
    demo = start("--collector=localhost")
    assert demo.ended() == 2
    assert "'localhost' is not an address like http://" in demo.output


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False
