"""What a beacon costs the door's loop, without kernel and disk: from the bytes of a request to those of its reply.

The no-op is Starlette behind uvicorn's protocol; the floor is a raw ASGI app that reads the body and decodes it, and does
nothing else. Connections are uvicorn's, on a wire that leads nowhere, and the spool keeps nothing. Best of many rounds, so
that it can be run on a busy machine. Usage: python -m bench.beacon     prints JSON, microseconds
"""

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench.door import nothing
from bench.load import Requests
from collector.beacon import decode
from collector.ingest import BeaconDoor, Door, Send
from collector.ingest.bodies import Receive
from collector.ingest.express import express
from collector.outcomes import Refused, Tally
from collector.settings import load
from collector.spool import Spool

CONNECTIONS = 64
REQUESTS = 1_536
ROUNDS = 20


class Forgetful(Spool):
    """Says at once that a line is durable."""

    def put(self, line: bytes, settle: Callable[[Refused | None], None]) -> None:
        """Keep nothing."""
        settle(None)


class Nowhere(asyncio.Transport):
    """A connection whose replies nobody reads."""

    replies = 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        Nowhere.replies += bytes(data).startswith(b"HTTP/1.1 204")

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        return


async def floor(scope: Any, receive: Receive, send: Send) -> None:
    decode((await receive())["body"])
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def microseconds(app: Any, protocol: type[HttpToolsProtocol]) -> float:
    """Processor time of one request."""
    config = uvicorn.Config(app, log_config=None, access_log=False, interface="asgi3", lifespan="off")
    config.load()
    connections = [protocol(config=config, server_state=ServerState(), app_state={}) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.connection_made(Nowhere())
    requests = Requests("x")
    pieces = [requests.make() for _ in range(REQUESTS)]
    best = float("inf")
    for _ in range(ROUNDS):
        Nowhere.replies, began = 0, time.process_time()
        for first in range(0, REQUESTS, CONNECTIONS):
            for connection, piece in zip(connections, pieces[first : first + CONNECTIONS], strict=True):
                connection.data_received(piece)
            while any(not connection.cycle.response_complete for connection in connections):
                await asyncio.sleep(0)
        best = min(best, time.process_time() - began)
        assert Nowhere.replies == REQUESTS
    return round(best / REQUESTS * 1e6, 1)


async def main() -> dict[str, float]:
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as `farside serve` does
    with tempfile.TemporaryDirectory(prefix="farside-bench-") as folder:
        spool = Forgetful(Path(folder) / "spool", cap_bytes=1 << 30, seal_after_s=1)
        settings = load(None, flags={"data": Path(folder)})
        beacons = BeaconDoor(Door(settings, spool, Tally(CollectorRegistry())))
        starlette = Starlette(routes=[Route("/b", nothing, methods=["POST"])])
        return {
            "noop_starlette": await microseconds(starlette, HttpToolsProtocol),
            "floor_raw_asgi_body_decode": await microseconds(floor, HttpToolsProtocol),
            "door_by_asgi": await microseconds(beacons, HttpToolsProtocol),
            "door_whole_beacon": await microseconds(beacons, express(beacons)),
        }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main()), indent=1))
