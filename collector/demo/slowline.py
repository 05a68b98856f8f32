"""Slow line: a visitor's network, as a SOCKS proxy on loopback that takes its time.

Bytes leave in their order, half a round trip after they came and no faster than the line carries them; all connections
of one visitor share it. The browser's own throttle (DevTools) is not used: it now and then forgets requests for ever,
and does not slow what the browser sends after a tab has closed.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

from collector.demo.people import Line

_CHUNK = 16_384


class _Lane:
    """One direction of a line."""

    def __init__(self, delay_s: float, bytes_per_s: float) -> None:
        self._delay_s = delay_s
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def due(self, size: int) -> float:
        """When `size` bytes that come now will have arrived, on the loop's clock."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + size / self._bytes_per_s
        return self._free_at + self._delay_s

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Everything from `reader` to `writer`, and then the end."""
        # Without a bound: the shop's largest page is smaller than what a bound would save.
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.ensure_future(_deliver(on_the_way, writer))
        try:
            while data := await reader.read(_CHUNK):
                on_the_way.put_nowait((self.due(len(data)), data))
            on_the_way.put_nowait((self.due(0), b""))
            await delivering
        finally:
            delivering.cancel()


async def _deliver(on_the_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await on_the_way.get()
        await asyncio.sleep(max(0.0, due - loop.time()))
        if not data:
            writer.write_eof()
            return
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def slow_line(line: Line) -> AsyncIterator[str]:
    """The address of a proxy with the speed of `line`, for as long as it is needed."""
    half_s = line.round_trip_ms / 2000
    up, down = _Lane(half_s, line.kilobits * 125 / 4), _Lane(half_s, line.kilobits * 125)

    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(connect(reader, writer))
        connections.add(connection)
        # Visitors leave in the middle of things: a connection that breaks, or is broken off, is simply over.
        await asyncio.wait([connection])
        connections.discard(connection)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            connection.result()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            host, port = await _greet(reader, writer)
            there, back = await asyncio.open_connection(host, port)
            with contextlib.closing(back):
                await asyncio.sleep(line.round_trip_ms / 1000)  # TCP's handshake
                writer.write(b"\x05\x00\x00\x01\0\0\0\0\0\0")
                lanes = [
                    asyncio.ensure_future(up.carry(reader, back)),
                    asyncio.ensure_future(down.carry(there, writer)),
                ]
                try:
                    await asyncio.gather(*lanes)
                finally:
                    for lane in lanes:
                        lane.cancel()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"socks5://{host}:{port}"
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """SOCKS 5 without a password, as far as browsers speak it: where to connect to. RFC 1928"""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    *_, kind = await reader.readexactly(4)
    if kind == 3:
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode("ascii")
    else:
        packed = await reader.readexactly(4 if kind == 1 else 16)
        host = (
            ".".join(map(str, packed)) if kind == 1 else ":".join(f"{part:x}" for part in struct.unpack("!8H", packed))
        )
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    return host, port
