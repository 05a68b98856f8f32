"""Express: a beacon that came whole, in one piece of the stream, is answered without ASGI and without a task of its own.

uvicorn's own protocol reads every connection. What ASGI does for a request (a cycle, an event, a task that is woken twice,
two messages) costs half of what a beacon needs, and most beacons are one small packet. So their request is held until the
piece of the stream it came in has been read; whatever is not whole by then, or is unusual in any way, goes the ordinary
way from its first header on. Answers leave in the order of the requests, as ever.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from collector.ingest import KEPT, BeaconDoor, Headers

PATH = b"/b"
STATUS = {status: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


def _head(status: int, headers: Headers) -> bytes:
    return STATUS[HTTPStatus(status)] + b"".join(b"%b: %b\r\n" % header for header in headers)


KEPT_HEAD = _head(204, KEPT)


class _Answer:
    """What stands where uvicorn keeps the cycle of the request it is answering, until this one has been answered."""

    __slots__ = ("_connection", "disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()  # for those who wait for more of a body: nobody does

    def __init__(self, connection: "Express") -> None:
        self._connection = connection
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True

    def __call__(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the reply, and let the next request in."""
        self.response_complete = True
        transport = self._connection.transport
        if self.disconnected or transport.is_closing():
            return
        head = KEPT_HEAD if headers is KEPT else _head(status, headers)
        close = b"" if self.keep_alive else b"connection: close\r\n"
        transport.write(b"%b%b\r\n%b" % (head, close, body))
        if not self.keep_alive:
            transport.close()
        self._connection.on_response_complete()


class Express(HttpToolsProtocol):
    """uvicorn's protocol with a short way for whole beacons."""

    door: BeaconDoor

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._held: bytes | None = None  # the body so far of a request that may go the short way
        self._held_headers: dict[bytes, bytes] = {}

    def data_received(self, data: bytes) -> None:
        """A piece of the stream."""
        super().data_received(data)
        if self._held is not None:
            self._hand_over()

    def on_message_begin(self) -> None:
        """The first line of a request. ASGI's scope is made for those that need one."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Hold the request if it may go the short way."""
        if self.url == PATH and self._is_ordinary():
            self._held = b""
        else:
            self._begin_as_usual()

    def _begin_as_usual(self) -> None:
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, headers, self.expect_100_continue = read
        self.headers.extend(headers)
        super().on_headers_complete()

    def _is_ordinary(self) -> bool:
        parser, cycle = self.parser, self.cycle
        self._held_headers = dict(self.headers)
        return (
            (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and b"content-encoding" not in self._held_headers
        )

    def on_body(self, body: bytes) -> None:
        """Some of a body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held = self._held + body if self._held else body

    def on_message_complete(self) -> None:
        """The end of a request: of one that was held, its turn."""
        body, self._held = self._held, None
        if body is None:
            super().on_message_complete()
            return
        answer = _Answer(self)
        self.cycle = answer  # type: ignore[assignment]
        try:
            self.door.take(self.client, self._held_headers, body, answer)
        except Exception:
            self.logger.exception("Exception at the door")
            answer(500, [(b"content-length", b"0")], b"")

    def _hand_over(self) -> None:
        """The rest has not come yet: from here on this is uvicorn's."""
        body, self._held = self._held, None
        if self.transport.is_closing():
            return
        self._begin_as_usual()
        if body:
            super().on_body(body)


def express(beacons: BeaconDoor) -> type[Express]:
    """The protocol of servers whose whole beacons go to this door; what uvicorn's `http` setting takes."""
    return type("Express", (Express,), {"door": beacons})
