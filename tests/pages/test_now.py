"""The live tail against a running collector: what arrives is told, filtered, bounded; a slow reader holds up nobody."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from dashboards.now import TAILS
from tests.conftest import Running, a_beacon, wait_until


@contextmanager
def tail(running: Running, **only: str) -> Iterator[Iterator[tuple[str, str]]]:
    """An open tail: its events as (name, data)."""
    with (
        httpx.Client(base_url=running.url, timeout=20) as client,
        client.stream("GET", "/now/tail", params={"app": "demo"} | only) as reply,
    ):
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield _events(reply)


def _events(reply: httpx.Response) -> Iterator[tuple[str, str]]:
    name, data = "", []
    for line in reply.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            data.append(line[6:])
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []


def first_that_says(events: Iterator[tuple[str, str]], word: str) -> dict[str, Any]:
    for name, data in events:
        if name == "arrived" and word in data:
            found: dict[str, Any] = json.loads(data)
            return found
    raise AssertionError(f"the tail ended without {word}")


def test_what_arrives_is_told_and_frozen(shared_collector: Running) -> None:
    user = f"u{secrets.token_hex(4)}"
    with tail(shared_collector) as events:
        error = {"type": "error", "at": 9, "name": "error", "error_type": "TypeError", "message": f"<b>of {user}</b>"}
        shared_collector.post(a_beacon({"type": "view", "at": 0, "duration_ms": 500}, error, user_id=user))
        told = first_that_says(events, user)
    assert told["html"].count("<li") == 2
    assert f"&lt;b&gt;of {user}&lt;/b&gt;" in told["html"], "rendered and escaped like every page"
    later = shared_collector.post(a_beacon(user_id=f"later-{user}"))
    assert later.status == 204
    shared_collector.settled()
    frozen = shared_collector.get(told["frozen"]).body.decode()
    assert user in frozen
    assert f"later-{user}" not in frozen, "a link to a moment stays at that moment"
    assert "Live again" in frozen


def test_a_tail_tells_only_what_it_is_asked_for(shared_collector: Running) -> None:
    user, other = (f"u{secrets.token_hex(4)}" for _ in range(2))
    with tail(shared_collector, user=user) as events:
        for name in (other, other, user):
            shared_collector.post(a_beacon(user_id=name))
        told = first_that_says(events, user)
    assert other not in told["html"]


def test_tails_are_bounded_and_a_reader_that_takes_nothing_holds_up_nobody(shared_collector: Running) -> None:
    lazy = []
    for _ in range(TAILS):
        reader = socket.create_connection(("127.0.0.1", shared_collector.port))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        reader.sendall(b"GET /now/tail?app=demo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        lazy.append(reader)

    def refused() -> bool:
        reply = httpx.stream("GET", f"{shared_collector.url}/now/tail?app=demo")
        with reply as opened:
            return opened.status_code == 503 and opened.headers["retry-after"] == "30"

    wait_until(refused)
    event = {"type": "error", "at": 1, "name": "error", "message": "x" * 1_000}
    for _ in range(40):
        assert shared_collector.post(a_beacon(*[event] * 40)).status == 204
    started = time.monotonic()
    shared_collector.settled()
    assert time.monotonic() - started < 12, "the loader goes on"
    assert shared_collector.get("/overview.json?wait=1").status == 200
    for reader in lazy:
        reader.close()
    wait_until(lambda: not refused(), timeout_s=20)


@pytest.mark.parametrize("bad", ["since=yesterday", "since=-1", "app=nobody"])
def test_a_tail_that_cannot_be_is_refused(shared_collector: Running, bad: str) -> None:
    assert shared_collector.get(f"/now/tail?{bad}").status == 400


def test_the_page_shows_what_arrives_and_holds_still(browser: Browser, shared_collector: Running) -> None:
    """By keyboard: narrow the tail to a user, watch a view come, pause, and have a link to that moment."""
    user = f"u{secrets.token_hex(4)}"
    page = browser.new_page(viewport={"width": 1360, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{shared_collector.url}/now?app=demo&user={user}&wait=1")
    page.locator(".state.on").wait_for()
    shared_collector.post(a_beacon(user_id=user, url="http://localhost/seen/live"))
    page.get_by_role("link", name="/seen/live").wait_for()
    page.locator("[data-pause]").press("Enter")
    assert "at=" in page.url
    shared_collector.post(a_beacon(user_id=user, url="http://localhost/while/paused"))
    shared_collector.settled()
    page.wait_for_timeout(1_500)
    assert page.get_by_role("link", name="/while/paused").count() == 0
    page.locator("[data-pause]").press("Enter")
    page.get_by_role("link", name="/while/paused").wait_for()
    assert complaints == []
    page.close()


def test_without_scripts_it_says_how_to_see_more(browser: Browser, shared_collector: Running) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shared_collector.url}/now?app=demo")
    assert page.get_by_role("link", name="reload").is_visible()
    context.close()
