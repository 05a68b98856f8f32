"""Bodies: read under their caps and their deadline, inflated no further than allowed."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from collector.outcomes import Outcome, Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_BODY_BYTES = 256 << 10
MAX_INFLATED_BYTES = 1 << 20
MAX_OTLP_BYTES = 4 << 20
MAX_OTLP_INFLATED_BYTES = 16 << 20
BODY_DEADLINE_S = 10.0
MAX_READING_BYTES = 256 << 20


class Deadlines:
    """A time limit for any number of tasks on one timer; a timer for each would cost a beacon a tenth of its time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[asyncio.Task[Any], float] = {}  # whoever began first comes first
        self._passed: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[Any]:
        """Start the clock for this task, which is cancelled when its time has passed."""
        task = asyncio.current_task()
        assert task is not None
        self._due[task] = time.monotonic() + self._seconds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)
        return task

    def end(self, task: asyncio.Task[Any]) -> None:
        """This task was in time, or need not be told any more."""
        self._due.pop(task, None)

    def has_passed(self, task: asyncio.Task[Any]) -> bool:
        """Whether a task was cancelled from here; asked once."""
        if task not in self._passed:
            return False
        self._passed.remove(task)
        return task.uncancel() == 0

    def _look(self) -> None:
        now = time.monotonic()
        self._timer = None
        for task, due in list(self._due.items()):
            if due > now:
                self._timer = asyncio.get_running_loop().call_later(due - now, self._look)
                return
            del self._due[task]
            self._passed.add(task)
            task.cancel()


class Bodies:
    """All bodies that are arriving."""

    def __init__(self, deadline_s: float = BODY_DEADLINE_S) -> None:
        self._reading = 0
        self._deadline_s = deadline_s
        self._deadlines = Deadlines(deadline_s)

    async def read(self, headers: dict[bytes, bytes], receive: Receive, limit: int, inflated_limit: int) -> bytes:
        """Read a request's body, unless as many are being read as memory is allowed for."""
        if self._reading >= MAX_READING_BYTES:
            raise Refused(Outcome.BUSY, "too many bodies are arriving at once")
        self._reading += limit
        task = self._deadlines.begin()
        try:
            return await _body(headers, receive, limit, inflated_limit)
        except asyncio.CancelledError:
            if not self._deadlines.has_passed(task):
                raise
            raise Refused(Outcome.TOO_SLOW, f"{self._deadline_s:.0f} s were not enough") from None
        finally:
            self._deadlines.end(task)
            self._reading -= limit


async def _body(headers: dict[bytes, bytes], receive: Receive, limit: int, inflated_limit: int) -> bytes:
    """Read a request's body under its caps and its deadline, inflated if it must be."""
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise Refused(Outcome.TOO_LARGE, f"{int(declared):,} bytes, the limit is {limit:,}")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body") or len(body) > limit or message["type"] == "http.disconnect":
        body = await _rest(message, receive, limit)
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    return body if encoding in (b"", b"identity") else inflate(body, encoding, inflated_limit)


async def _rest(message: MutableMapping[str, Any], receive: Receive, limit: int) -> bytes:
    """A body of which there is more than the first message, or less."""
    chunks = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise Refused(Outcome.TOO_SLOW, "the client went away before its body was complete")
        chunks += message.get("body", b"")
        if len(chunks) > limit:
            raise Refused(Outcome.TOO_LARGE, f"more than {limit:,} bytes")
        if not message.get("more_body"):
            return bytes(chunks)
        message = await receive()


def inflate(data: bytes, encoding: bytes, limit: int) -> bytes:
    """Inflate no further than the limit: a bomb goes off at its cap."""
    if encoding not in (b"gzip", b"deflate"):
        raise Refused(Outcome.BAD_ENCODING, f"{encoding.decode('latin-1')!r}; send gzip, deflate or plain")
    # 47: zlib or gzip by its header. Some clients mean raw deflate by "deflate"; their first byte is no zlib header.
    raw = encoding == b"deflate" and data[:1] and data[0] & 0x0F != 8
    inflater = zlib.decompressobj(-15 if raw else 47)
    try:
        inflated = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise Refused(Outcome.BAD_ENCODING, str(error)) from None
    if len(inflated) > limit:
        raise Refused(Outcome.TOO_LARGE, f"more than {limit:,} bytes when inflated")
    if not inflater.eof:
        raise Refused(Outcome.BAD_ENCODING, "the compressed body is cut off")
    return inflated
