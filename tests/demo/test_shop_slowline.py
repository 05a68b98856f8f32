"""A visitor's slow line: as slow as it says, in order, and gone when they are."""

import asyncio
import struct
import time

import pytest

from collector.demo.people import Line
from collector.demo.slowline import slow_line


def test_it_takes_a_round_trip_and_carries_no_more_than_it_can() -> None:
    sent = bytes(range(256)) * 400  # 100 KB; at 1,600 kbit/s half a second down, and four times that up

    async def fetch() -> tuple[bytes, float]:
        async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(3)
            writer.write(sent)
            writer.close()

        async with await asyncio.start_server(give, "127.0.0.1", 0) as there, slow_line(Line("3g", 300, 1600)) as proxy:
            reader, writer = await connect(proxy, there.sockets[0].getsockname()[1])
            began = time.monotonic()
            writer.write(b"GET")
            received = await reader.read(-1)
            writer.close()
            return received, time.monotonic() - began

    received, took_s = asyncio.run(fetch())
    assert received == sent
    assert 0.3 + 0.5 <= took_s < 3


def test_who_leaves_in_the_middle_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def leave() -> None:
        async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(1_000_000))
            writer.close()

        async with await asyncio.start_server(give, "127.0.0.1", 0) as there:
            async with slow_line(Line("3g", 300, 1600)) as proxy:
                _, writer = await connect(proxy, there.sockets[0].getsockname()[1])
                await asyncio.sleep(0.5)
            writer.close()

    asyncio.run(leave())
    assert caplog.records == []


async def connect(proxy: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Through the proxy to a port of this machine, as a browser would."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.rpartition(":")[2]))
    writer.write(b"\x05\x01\x00")
    assert await reader.readexactly(2) == b"\x05\x00"
    writer.write(b"\x05\x01\x00\x01\x7f\0\0\x01" + struct.pack("!H", port))
    assert (await reader.readexactly(10))[:2] == b"\x05\x00"
    return reader, writer
