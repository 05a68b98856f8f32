"""Caller: what the gate reads of a request, and what it tells the routes behind it.

A route asks `caller_of(request)` who it is that asks, writes that name into the audit, and puts `form_token` into every
form. Nothing here decides anything; collector.gate does.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request

from collector.limits import client_of
from collector.people import VIEWER, Person

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CALLER = "farside.caller"
FORM_FIELD, FORM_HEADER = "csrf", "x-farside-form"
MAX_FORM_BYTES = 1 << 20
READING = {"GET", "HEAD", "OPTIONS"}
# Where nothing can be changed, whatever the method: a question too long for an address, and what only answers GET.
QUESTIONS = {"/api/v1/ask", "/metrics"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what a form of theirs has to carry in the field `csrf` or the header X-Farside-Form."""

    person: Person
    form_token: str


# Behind no gate nobody may change anything.
NOBODY = Caller(Person("", VIEWER, ""), "")


def caller_of(request: HTTPConnection) -> Caller:
    """Who asks, as the gate found out."""
    found = request.scope.get(CALLER, NOBODY)
    assert isinstance(found, Caller)
    return found


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that came through the gate, the first of each name."""
    found = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True, max_num_fields=200)
    return {name: values[0] for name, values in found.items()}


class Turned(Exception):  # noqa: N818
    """A request that goes no further: status, what is the matter, and what to do."""

    def __init__(self, status: int, problem: str, remedy: str = "", **headers: str) -> None:
        super().__init__(problem)
        self.status, self.problem, self.remedy = status, problem, remedy
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Asked:
    """What the gate reads of one request."""

    def __init__(self, scope: Scope, trusted_hops: int) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.peer: str = (scope.get("client") or ("",))[0]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        forwarded = self.header("x-forwarded-for"), self.header("forwarded")
        self.is_forwarded = any(forwarded)
        self.client = client_of(self.peer, *forwarded, trusted_hops)
        outermost = self.header("x-forwarded-proto").split(",")[0].strip().lower() if trusted_hops else ""
        self.is_https = scope.get("scheme") == "https" or outermost == "https"
        self.cookies = _cookies(self.header("cookie"))

    def headers(self, name: str) -> list[str]:
        """Every header of this name."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in self._headers if key == wanted]

    def header(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return next(iter(self.headers(name)), "")

    @property
    def is_write(self) -> bool:
        """Whether it would change something."""
        return self.method not in READING and self.path not in QUESTIONS

    @property
    def is_for_people(self) -> bool:
        """Whether a page is wanted, rather than data."""
        return not self.path.startswith("/api/") and not self.path.endswith((".json", ".csv"))

    def cookie_name(self, name: str) -> str:
        """Over https a prefix that keeps neighbours under the same domain from setting it."""
        return f"__Host-{name}" if self.is_https else name

    def cookie(self, name: str) -> str:
        """What our cookie of this name says."""
        return self.cookies.get(self.cookie_name(name), "")


def is_address(name: str) -> bool:
    """Whether this is an IP address rather than a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def same(given: str, expected: str) -> bool:
    """Equal, in a time that tells nothing about where they differ; an empty secret equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def field(body: bytes, name: str) -> str:
    """A field of a form, or of a query."""
    try:
        found = parse_qs(body.decode(errors="replace"), max_num_fields=200)
    except ValueError:
        return ""
    return next(iter(found.get(name, [])), "")


async def read_form(receive: Receive) -> bytes:
    """A form's body, under its cap."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Turned(400, "The request broke off.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_FORM_BYTES:
            raise Turned(413, "A form has at most a mebibyte.")
    return body


def again(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was read already, then whatever comes next."""
    is_given = False

    async def hand_out() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return hand_out
