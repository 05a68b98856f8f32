"""The recipe by itself: when it speaks, and when it keeps silent."""

import asyncio
import re
from typing import Any

import pytest

from collector.demo.server_timing import ServerTiming

TRACED = re.compile(r'trace;desc="00-[0-9a-f]{32}-[0-9a-f]{16}-(0[01])"')


@pytest.mark.parametrize(
    ("reply", "speaks"),
    [
        ({}, True),
        ({"Cache-Control": "private, no-cache"}, True),
        ({"Cache-Control": "no-store"}, True),
        ({"Cache-Control": "max-age=0, must-revalidate"}, True),
        ({"Cache-Control": "no-cache", "Last-Modified": "Tue, 04 Nov 2025 10:00:00 GMT"}, True),
        ({"Cache-Control": "max-age=60"}, False),
        ({"Cache-Control": "private, max-age=600"}, False),
        ({"Cache-Control": "public"}, False),
        ({"Cache-Control": "s-maxage=60, max-age=0"}, False),
        ({"Expires": "Tue, 04 Nov 2025 10:00:00 GMT"}, False),
        ({"Last-Modified": "Tue, 04 Nov 2025 10:00:00 GMT"}, False),
    ],
)
def test_a_page_names_its_trace_unless_a_cache_may_keep_it(reply: dict[str, str], speaks: bool) -> None:
    _, said = ask({"Sec-Fetch-Dest": "document"}, reply)
    assert bool(TRACED.fullmatch(said)) is speaks


@pytest.mark.parametrize(
    ("asked", "is_page"),
    [
        ({"Sec-Fetch-Dest": "document", "Accept": "*/*"}, True),
        ({"Accept": "text/html,application/xhtml+xml"}, True),
        ({"Sec-Fetch-Dest": "empty", "Accept": "text/html"}, False),
        ({"Sec-Fetch-Dest": "image"}, False),
        ({"Accept": "*/*"}, False),
    ],
)
def test_only_a_page_starts_a_trace(asked: dict[str, str], is_page: bool) -> None:
    seen, said = ask(asked, {})
    assert bool(said) is is_page
    assert ("traceparent" in seen) is is_page
    if is_page:
        assert said == f'trace;desc="{seen["traceparent"]}"'


@pytest.mark.parametrize(("ratio", "flags"), [(1.0, "01"), (0.0, "00")])
def test_the_ratio_decides_what_is_sampled(ratio: float, flags: str) -> None:
    _, said = ask({"Sec-Fetch-Dest": "document"}, {}, ratio)
    traced = TRACED.fullmatch(said)
    assert traced
    assert traced[1] == flags


def test_a_traceparent_is_left_alone() -> None:
    sent = "00-11111111111111112222222222222222-3333333333333333-00"
    seen, said = ask({"Sec-Fetch-Dest": "document", "traceparent": sent}, {})
    assert seen["traceparent"] == sent
    assert said == ""  # no OpenTelemetry here, hence no server span to name


def ask(asked: dict[str, str], reply: dict[str, str], ratio: float = 1.0) -> tuple[dict[str, str], str]:
    """The headers that the application saw, and the Server-Timing that the browser gets."""
    seen: dict[str, str] = {}
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": raw(reply)})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any: ...

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ServerTiming(app, ratio)({"type": "http", "headers": raw(asked)}, receive, send))
    return seen, dict(sent[0]["headers"]).get(b"server-timing", b"").decode()


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
