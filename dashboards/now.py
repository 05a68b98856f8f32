"""Now: what is happening, as it happens: a live tail of views, fetches, feed loads and errors over server-sent events.

A tail pulls: it asks for what arrived since it last asked, when its reader has taken what came before. So a slow reader
gets less and larger helpings, nothing piles up, and all tails together use one of the store's readers. At most TAILS
are open, none for longer than LIFE_S; a browser comes back by itself.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from collector.query import live, overview
from collector.query.live import Arrival
from collector.query.question import BadQuestion, Question
from dashboards.site import HEADERS, Page, Site

TAILS = 12
LIFE_S = 300.0
EVERY_S = 1.0
QUIET_S = 15.0  # after so long without news a line that says nothing keeps proxies from hanging up
LATEST = timedelta(minutes=5)  # a reader who was away for longer starts anew


async def page(site: Site, request: Request) -> Page:
    """The page at `/now` and its twins: the newest arrivals; frozen where the question is."""
    q = site.question(request)
    panels = await site.ask(request, {"arrived": partial(live.arrived, site.store, q)})
    rows: list[Arrival] = panels["arrived"].value or []
    presence = None
    if panels["arrived"].is_answered and not rows:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = found["presence"].value
    tables = {"arrived": [asdict(row) for row in rows]}
    context: dict[str, Any] = {"presence": presence, "rows": rows, "tail": q.here("/now/tail", since=str(q.at))}
    return Page("now.html", "Now", q, "/now", panels, tables, context=context)


class Tails:
    """All open tails of one process."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.open = 0
        self._asking = anyio.Semaphore(1)

    async def answer(self, request: Request) -> Response:
        """A tail at `/now/tail`, or the reason why there is none."""
        try:
            q = self.site.question(request)
            mark = _mark(request, q)
        except BadQuestion as error:
            return Response(f"{error}\n", 400, HEADERS, "text/plain; charset=utf-8")
        if self.open >= TAILS:
            headers = HEADERS | {"retry-after": "30"}
            return Response(f"{TAILS} tails are open, which is the most\n", 503, headers, "text/plain; charset=utf-8")
        return Tail(self, self._lines(request, q, mark))

    async def _lines(self, request: Request, q: Question, mark: datetime) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        ends = anyio.current_time() + LIFE_S
        spoke = anyio.current_time()
        while anyio.current_time() < ends:
            until = self.site.watermark()
            if until > mark:
                said = await self._since(request, q, mark, until)
                mark = until
                if said:
                    spoke = anyio.current_time()
                    yield said
            if anyio.current_time() - spoke > QUIET_S:
                spoke = anyio.current_time()
                yield ": still here\n\n"
            await anyio.sleep(EVERY_S)

    async def _since(self, request: Request, q: Question, mark: datetime, until: datetime) -> str:
        """What arrived in (mark, until] as one event; empty when nothing did."""
        part = replace(q.between(mark, until), is_live=True)
        async with self._asking:
            panels = await self.site.ask(request, {"arrived": partial(live.arrived, self.site.store, part)})
        at = str(part.at)
        if not panels["arrived"].is_answered:
            return _event("trouble", at, panels["arrived"].problem)
        rows: list[Arrival] = panels["arrived"].value
        if not rows:
            return ""
        frozen = replace(q, until=part.until, is_live=False)
        html = await anyio.to_thread.run_sync(
            partial(self.site.render, "arrivals.html", Page("", "", frozen, "/now", {}, {}), rows=rows)
        )
        left = rows[0].total - len(rows)
        return _event("arrived", at, json.dumps({"html": html, "left_out": left, "frozen": frozen.link("/now")}))


class Tail(StreamingResponse):
    """One tail; counted while it is open, and cut off when its reader takes nothing for good."""

    def __init__(self, tails: Tails, lines: AsyncIterator[str]) -> None:
        headers = HEADERS | {"x-accel-buffering": "no"}
        super().__init__(lines, headers=headers, media_type="text/event-stream")
        self._tails = tails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        self._tails.open += 1
        try:
            with anyio.move_on_after(LIFE_S * 1.2):
                await super().__call__(scope, receive, send)
        finally:
            self._tails.open -= 1


def _event(name: str, mark: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\nid: {mark}\n{lines}\n"


def _mark(request: Request, q: Question) -> datetime:
    """From where on a tail tells: what its reader has seen, or now."""
    text = request.headers.get("last-event-id") or request.query_params.get("since") or str(q.at)
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise BadQuestion(f"since={text[:40]!r} is not a time in milliseconds since 1970")
    return max(datetime.fromtimestamp(int(text) / 1000, UTC), q.until - LATEST)
