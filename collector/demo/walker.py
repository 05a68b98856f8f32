"""Walker: one visitor without a browser, who asks for pages and reports what came of it, as the snippet would."""

import asyncio
import json
import random
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

from collector.demo.golden import Event, beacon, event
from collector.demo.people import Person

_COMPUTER = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
_PHONE = (
    "Mozilla/5.0 (Linux; Android 14; {name}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
    " Mobile Safari/537.36"
)
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
    " Mobile/15E148 Safari/604.1"
)
PAGES = {"home": 3, "list": 4, "product": 4, "cart": 1}
_DOCUMENT = {"Sec-Fetch-Dest": "document", "Accept": "text/html"}
_PATIENCE_S = 20
_TALL_PX = 1_600  # a page of the list does not fill such a window


@dataclass
class Page:
    """What a browser would find in a page of the shop."""

    html: str
    url: str
    trace_id: str = ""
    span_id: str = ""
    events: list[Event] = field(default_factory=list)

    def found(self, pattern: str) -> str:
        """The first group of the first match, or nothing."""
        match = re.search(pattern, self.html)
        return match[1] if match else ""


class Walker:
    """A `person` in the shop at `home`: one session."""

    def __init__(self, home: str, person: Person, dice: random.Random, only: str = "") -> None:
        """`only` is one of PAGES, for somebody who looks at nothing else."""
        self._home, self._person, self._dice, self._only = home, person, dice, only
        self._session = secrets.token_hex(16)
        self._client = httpx.AsyncClient(
            base_url=home,
            timeout=_PATIENCE_S,
            trust_env=False,
            limits=httpx.Limits(
                keepalive_expiry=2
            ),  # less than the shop keeps them: it would hang up first, headers={"User-Agent": _agent(person)}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def view(self) -> None:
        """One page: asked for, read, and left."""
        began, started_ms = time.monotonic(), time.time() * 1000
        kind = self._only or self._dice.choices(list(PAGES), list(PAGES.values()))[0]
        reply = await self._client.get(_address(kind, self._dice), headers=_DOCUMENT)
        page = Page(reply.text, str(reply.url), *_offered(reply))
        ttfb_ms = reply.elapsed.total_seconds() * 1000 + self._person.line.round_trip_ms
        badge_ms = await self._badge(page, began)
        drawn_ms = ttfb_ms + badge_ms + self._dice.uniform(30, 120) * self._person.slowdown
        self._load(page, reply, ttfb_ms, drawn_ms)
        if page.found(r"(wishlist\.js)") and self._dice.random() < 0.5:
            page.events.append(_wishlist_fails(page, drawn_ms))
        fields = self._fields(page, started_ms)
        await self._post(page, fields, 0)
        await self._read(page, began, fields)

    def _load(self, page: Page, reply: httpx.Response, ttfb_ms: float, drawn_ms: float) -> None:
        largest_ms = drawn_ms + self._dice.uniform(20, 180) * self._person.slowdown
        phases = {"queue_ms": 2.0, "request_ms": round(ttfb_ms, 1), "load_ms": round(largest_ms, 1)}
        page.events = [
            event("view", "", 0, span_id=page.span_id, duration_ms=round(largest_ms, 1), phases=phases, server_span_id=None,
                  bytes=len(reply.content), status_code=reply.status_code),
            event("vital", "TTFB", ttfb_ms, value=round(ttfb_ms, 1)),
            event("vital", "FCP", drawn_ms, value=round(drawn_ms, 1)),
            event("vital", "LCP", largest_ms, value=round(largest_ms, 1), url=None, target="img",
                  phases={"ttfb_ms": round(ttfb_ms, 1), "render_delay_ms": round(largest_ms - ttfb_ms, 1)}),
            event("vital", "CLS", largest_ms, value=round(self._dice.uniform(0, 0.08), 3)),
            *page.events,
        ]  # fmt: skip

    async def _badge(self, page: Page, began: float) -> float:
        """The partner's script in the head, which everything waits for."""
        address = page.found(r'<script src="([^"]+/partner/badge\.js)"')
        if not address:
            return 0.0
        asked = time.monotonic()
        reply = await self._client.get(address)
        took_ms = (time.monotonic() - asked) * 1000
        at, origin = (asked - began) * 1000, "{0.scheme}://{0.netloc}".format(urlsplit(address))
        page.events.append(
            event("resource", "", at, url=origin, initiator="third-party", duration_ms=round(took_ms, 1),
                  bytes=len(reply.content) if reply.is_success else 0, phases=None, status_code=None)
        )  # fmt: skip
        if reply.is_error:
            page.events.append(
                event("error", "", at + took_ms, name="resource", message="script failed", url=address, error_type=None,
                      stack=None, crumbs=None)
            )  # fmt: skip
        return took_ms

    async def _read(self, page: Page, began: float, fields: dict[str, Any]) -> None:
        """What scripts fetch, what a visitor does, and the farewell beacon."""
        page.events = []
        if number := page.found(r'data-vote="(\d+)"'):
            await self._fetch(page, began, "/api/votes", f"?ids={number}", "load")
        if page.found(r"(data-feed)") and page.found(r'data-next="(\d+)"') and self._dice.random() < 0.8:
            await self._scroll(page, began)
        at = (time.monotonic() - began) * 1000
        if self._dice.random() < 0.6:
            page.events += [event("action", "click", at), event("vital", "INP", at, value=self._dice.randint(16, 160))]
        await self._post(page, fields, 1)

    async def _scroll(self, page: Page, began: float) -> None:
        """To the end of the list once or twice: the careful handler asks once, the hasty one at every scroll event."""
        is_tall = self._person.screen.height >= _TALL_PX
        hasty = page.found(r'data-handler="(hasty)"')
        number = int(page.found(r'data-next="(\d+)"'))
        for batch in range(1, self._dice.randint(2, 3)):
            times = self._dice.randint(6, 10) if hasty and is_tall else self._dice.randint(1, 2) if hasty else 1
            asking = [self._load_batch(page, began, number + nr, batch, nr, self._dice.random()) for nr in range(times)]
            await asyncio.gather(*asking)
            number += times

    async def _load_batch(self, page: Page, began: float, number: int, batch: int, nr: int, luck: float) -> None:
        asked = await self._fetch(page, began, "/api/products", f"?page={number}", "scroll")
        paint_ms = 10 + 40 * luck
        page.events.append(
            event("feed", "/api/products", asked["at"], url="/api/products", span_id=asked["span_id"], batch=batch,
                  burst=nr + 1, duplicates=nr, duration_ms=round(asked["duration_ms"] + paint_ms, 1), items=12,
                  status_code=asked["status_code"], stall_ms=round(asked["duration_ms"], 1),
                  depth_px=self._person.screen.height * batch,
                  phases={"request_ms": asked["duration_ms"], "paint_ms": round(paint_ms, 1)})
        )  # fmt: skip

    async def _fetch(self, page: Page, began: float, path: str, query: str, cause: str) -> Event:
        """A request of the page's, in a trace of the page's as the snippet continues it."""
        asked, span_id = time.monotonic(), secrets.token_hex(8)
        reply = await self._client.get(path + query, headers={"traceparent": f"00-{page.trace_id}-{span_id}-01"})
        took_ms = round((time.monotonic() - asked) * 1000 + self._person.line.round_trip_ms, 1)
        made = event(
            "fetch", "GET", (asked - began) * 1000, url=path, cause=cause, span_id=span_id, duration_ms=took_ms,
            status_code=reply.status_code, bytes=len(reply.content),
            phases={"queue_ms": 0.5, "request_ms": took_ms, "response_ms": 0.5},
        )  # fmt: skip
        page.events.append(made)
        return made

    def _fields(self, page: Page, started_ms: float) -> dict[str, Any]:
        """What holds for the whole view."""
        ahead_ms = int(page.found(r"const ahead = (\d+)") or 0)
        told = json.loads(page.found(r'id="features">(.*?)</script>') or "{}")
        screen = self._person.screen
        fields = {
            "key": page.found(r'data-key="([^"]+)"'), "session_id": self._session, "view_id": secrets.token_hex(16),
            "view_started_at": round(started_ms + ahead_ms, 1), "url": page.url, "trace_id": page.trace_id,
            "span_id": page.span_id, "release": page.found(r'data-release="([^"]+)"'), "environment": "demo",
            "viewport_width": screen.width, "viewport_height": screen.height,
            "connection": self._person.line.name if self._person.line.name in ("3g", "4g") else "4g",
            "flags": {name: [str(value).lower(), source] for name, (value, source) in told.items()},
        }  # fmt: skip
        return fields | ({"user_id": user} if (user := page.found(r'data-user="([^"]+)"')) else {})

    async def _post(self, page: Page, fields: dict[str, Any], seq: int) -> None:
        if not page.events:
            return
        ahead_ms = int(page.found(r"const ahead = (\d+)") or 0)
        made = beacon(page.events, **fields, seq=seq, sent_at=round(time.time() * 1000 + ahead_ms, 1))
        del made["route"]  # the collector works routes out, unless a page names one
        headers = {"Origin": self._home, "Content-Type": "text/plain;charset=UTF-8"}
        snippet = page.found(r'<script src="([^"]+/farside\.js)"')
        # What the collector answers is its affair: a snippet whose beacon is refused does not disturb its page either.
        await self._client.post(urljoin(snippet, "/b"), content=json.dumps(made).encode(), headers=headers)


def _wishlist_fails(page: Page, at: float) -> Event:
    """What release 2.15.0 throws at whoever has no wishlist yet."""
    message = "Cannot read properties of undefined (reading 'wishlist')"
    address = urljoin(page.url, "/static/wishlist.js")
    return event(
        "error", "error", at + 300, error_type="TypeError", message=message, url="/static/wishlist.js", crumbs=None,
        stack=f"TypeError: {message}\n    at {address}:6:60",
    )  # fmt: skip


def _offered(reply: httpx.Response) -> tuple[str, str]:
    """The trace and the browser's span in it, as Server-Timing names them."""
    said = re.search(r'trace;desc="00-([0-9a-f]{32})-([0-9a-f]{16})-', reply.headers.get("server-timing", ""))
    return (said[1], said[2]) if said else (secrets.token_hex(16), secrets.token_hex(8))


def _address(kind: str, dice: random.Random) -> str:
    return {"home": "/", "list": "/products", "cart": "/cart"}.get(kind) or f"/products/{dice.randint(1, 480)}"


def _agent(person: Person) -> str:
    screen = person.screen
    if not screen.device:
        return _COMPUTER.format(system=screen.system)
    return _IPHONE if screen.name == "iPhone" else _PHONE.format(name=screen.device)
