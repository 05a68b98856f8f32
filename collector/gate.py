"""Gate: everything private passes here: pages, the API, metrics. The door next to it is for everybody.

In this order: was it asked under a name of ours (a rebound DNS name is not), who is it (a session, a proxy we trust, a
token, or this very machine when nobody has set up a sign-in), may they, and does a write carry the token that only our
own forms have. A route behind the gate finds its caller with `caller_of` and checks nothing itself.
"""

import logging
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from secrets import token_urlsafe
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from collector.caller import (
    CALLER,
    FORM_FIELD,
    FORM_HEADER,
    READING,
    Application,
    Asked,
    Caller,
    Message,
    Receive,
    Scope,
    Send,
    Turned,
    again,
    field,
    is_address,
    read_form,
    same,
)  # fmt: skip
from collector.limits import is_loopback_address
from collector.origins import is_loopback
from collector.people import AT_THIS_MACHINE, EDITOR, SESSION_S, VIEWER, Guesses, People, Person, Sessions
from collector.settings import BadSettings, Settings, words

log = logging.getLogger("farside.gate")

Render = Callable[..., str]

HASHES_AT_ONCE = 1  # a hash takes 19 MiB and a core for a while, which beacons need too
# What CI may post with `deploy_token`, and nothing else.
DEPLOYS = {"/api/v1/markers", "/api/v1/sourcemaps"}
NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "same-origin"}
POLICY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
}


def is_public(path: str) -> bool:
    """Whether a path is for everybody: the doors, the snippet, remote config, and whether we are alive."""
    return (
        path in {"/b", "/v1/traces", "/healthz", "/readyz"}
        or path.startswith(("/c/", "/acknowledge/"))  # the latter carries its own signature
        or (path.endswith(".js") and path.count("/") == 1)
    )


def require_sign_in(settings: Settings, people: People) -> None:
    """Raise `BadSettings` unless the private side is on this machine only, or people have to sign in."""
    host, _ = settings.private_address
    is_here = host == "localhost" or is_loopback(f"http://[{host}]" if ":" in host else f"http://{host}")
    if is_here or not settings.has("pages") or settings.proxy_header or people.have_passwords:
        return
    raise BadSettings(
        f"host {host!r} can be reached from elsewhere, and it has no sign-in yet. Either name somebody"
        " (`farside people add NAME --role editor`), or let a proxy sign people in (proxy_header and proxies), or keep"
        ' the pages on this machine (private = "127.0.0.1:8318")'
    )


class Gate:
    """The ASGI application around everything private."""

    def __init__(
        self, app: Application, settings: Settings, people: People, sessions: Sessions, render: Render
    ) -> None:
        self._app = app
        self._settings = settings
        self._people = people
        self._sessions = sessions
        self._render = render
        self._guesses = Guesses()
        self._hashing = anyio.CapacityLimiter(HASHES_AT_ONCE)
        self._hosts = {name.lower() for name in [settings.host, *words(settings.hosts)]}
        self._proxies = [ip_network(network, strict=False) for network in words(settings.proxies)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked = Asked(scope, self._settings.trusted_hops)
        try:
            self._check_host(asked)
            await self._pass(asked, scope, receive, send)
        except Turned as turned:
            await self._refusal(asked, turned)(scope, receive, send)

    async def _pass(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        if asked.path.startswith("/static/"):
            await self._app(scope, receive, send)
            return
        form_cookie = asked.cookie("farside-form")
        if asked.path in {"/sign-in", "/sign-out"}:
            reply = await self._sign(asked, receive, form_cookie)
            await reply(scope, receive, send)
            return
        person = await anyio.to_thread.run_sync(self._who, asked)  # it may look into a file
        form_cookie = form_cookie or token_urlsafe(16)
        caller = Caller(person, self._form_token(asked, person, form_cookie))
        if asked.is_write:
            receive = await self._check_write(asked, caller, receive)
        scope[CALLER] = caller
        is_new = form_cookie != asked.cookie("farside-form") and person.by != "token"
        await self._app(scope, receive, self._with_cookie(asked, form_cookie, send) if is_new else send)

    # Under which name.

    def _check_host(self, asked: Asked) -> None:
        """A name that a stranger's DNS leads here is not ours: with it their page could read ours as its own."""
        given = asked.headers("host")
        try:
            name = (urlsplit(f"//{given[0]}").hostname or "") if len(given) == 1 else ""
        except ValueError:
            name = ""
        if name == "localhost" or name.endswith(".localhost") or is_address(name) or name.lower() in self._hosts:
            return
        raise Turned(
            421, f"These pages are not served under the name {name or '(none)'!r}.",
            f'If it is yours, say so in farside.toml: hosts = "{name or "rum.example"}".',
        )  # fmt: skip

    # Who.

    def _who(self, asked: Asked) -> Person:
        if asked.header("authorization") and (asked.path.startswith("/api/") or asked.path == "/metrics"):
            return self._who_by_token(asked)
        named = self._who_by_proxy(asked) if self._settings.proxy_header else None
        person = named or self._sessions.who(asked.cookie("farside"), self._people)
        if person:
            return person
        if self._settings.proxy_header or self._people.have_passwords:
            raise Turned(401, "Nobody is signed in here.", "Sign in first.")
        if is_loopback_address(asked.peer) and not asked.is_forwarded:
            return AT_THIS_MACHINE
        raise Turned(
            403, "Nobody has set up a sign-in, so these pages are for the machine they run on.",
            "Use `farside people add NAME --role editor`, or let a proxy sign people in: docs/operate.md.",
        )  # fmt: skip

    def _who_by_token(self, asked: Asked) -> Person:
        scheme, _, token = asked.header("authorization").partition(" ")
        settings = self._settings
        if scheme.lower() == "bearer":
            if same(token.strip(), settings.api_token) and not asked.is_write:
                return Person("api token", VIEWER, "token")
            if same(token.strip(), settings.deploy_token) and asked.path in DEPLOYS:
                return Person("deploy token", EDITOR, "token")
        if not self._guesses.admits("", asked.client):
            raise Turned(429, "Too many wrong tokens from there.", "Wait a minute.", retry_after="60")
        raise Turned(
            401, "This token does not open this.",
            "`api_token` is for reading, `deploy_token` for markers and source maps.", www_authenticate="Bearer",
        )  # fmt: skip

    def _who_by_proxy(self, asked: Asked) -> Person | None:
        """Whom the proxy names. The header from anybody else is an attempt to be somebody, and goes no further."""
        named = asked.headers(self._settings.proxy_header)
        if not named:
            return None
        is_ours = is_address(asked.peer) and any(ip_address(asked.peer) in network for network in self._proxies)
        if not is_ours or len(named) != 1 or not named[0].isprintable() or not 0 < len(named[0].strip()) <= 128:
            log.warning("Refused a request that named somebody in %s itself", self._settings.proxy_header)
            raise Turned(403, f"{self._settings.proxy_header} is believed from your proxy only.", "See `proxies`.")
        name = named[0].strip()
        entry = self._people.entries().get(name)
        return Person(name, entry.role if entry else self._settings.proxy_role, "proxy")

    # May they.

    def _form_token(self, asked: Asked, person: Person, form_cookie: str) -> str:
        own = asked.cookie("farside") if person.by == "password" else form_cookie
        return self._sessions.form_token(person.name, own)

    async def _check_write(self, asked: Asked, caller: Caller, receive: Receive) -> Receive:
        """Raise unless this person may write and meant to; returns what hands the body on."""
        if not caller.person.may_change:
            raise Turned(403, f"{caller.person.name} may look and not change.", "An editor may: `farside people`.")
        if caller.person.by == "token":  # no browser adds it by itself
            return receive
        return await self._check_form(asked, caller.form_token, receive)

    async def _check_form(self, asked: Asked, expected: str, receive: Receive) -> Receive:
        """The token of our own forms. Browsers also tell where a request began; what began elsewhere is refused."""
        given = asked.header(FORM_HEADER)
        if asked.path in DEPLOYS and not given:
            raise Turned(401, "CI needs a token here.", "Set deploy_token, and send it: FARSIDE_DEPLOY_TOKEN.")
        if not given and asked.header("content-type").startswith("application/x-www-form-urlencoded"):
            body = await read_form(receive)
            given = field(body, FORM_FIELD)
            receive = again(body, receive)
        if asked.header("sec-fetch-site") in {"cross-site", "same-site"} or not same(given, expected):
            raise Turned(
                403,
                "This form was not ours, or it is from before you signed in.",
                "Load its page anew and send it again.",
            )
        return receive

    # Signing in and out.

    async def _sign(self, asked: Asked, receive: Receive, form_cookie: str) -> Response:
        is_in = asked.path == "/sign-in"
        if asked.method in READING:
            return self._sign_in_page(asked, 200) if is_in else self._to("/sign-in")
        if asked.method != "POST":
            raise Turned(405, "Only POST signs in.", allow="GET, POST")
        if is_in:
            return await self._sign_in(asked, receive, form_cookie)
        person = await anyio.to_thread.run_sync(self._who, asked)
        await self._check_form(asked, self._form_token(asked, person, form_cookie), receive)
        await anyio.to_thread.run_sync(self._sessions.end, asked.cookie("farside"))
        reply = self._to("/sign-in")
        self._set(reply, asked, "farside", "", 0)
        return reply

    async def _sign_in(self, asked: Asked, receive: Receive, form_cookie: str) -> Response:
        body = await read_form(receive)
        await self._check_form(asked, self._sessions.form_token("", form_cookie), again(body, receive))
        name, password = field(body, "name").strip(), field(body, "password")
        if not self._guesses.admits(name, asked.client):
            return self._sign_in_page(asked, 429, "Too many attempts. Wait half a minute and try again.", body)
        person = await anyio.to_thread.run_sync(self._people.verify, name, password, limiter=self._hashing)
        entry = self._people.entries().get(name)
        if person is None or entry is None:
            log.info("A sign-in failed")
            return self._sign_in_page(asked, 401, "This name and this password do not belong together.", body)
        # Whatever session this browser had, or was given by somebody, ends; the new one has a name nobody knew before.
        await anyio.to_thread.run_sync(self._sessions.end, asked.cookie("farside"))
        cookie = await anyio.to_thread.run_sync(self._sessions.begin, name, entry)
        reply = self._to(local(field(body, "next")))
        self._set(reply, asked, "farside", cookie, SESSION_S)
        self._set(reply, asked, "farside-form", "", 0)
        return reply

    def _sign_in_page(self, asked: Asked, status: int, problem: str = "", body: bytes = b"") -> Response:
        form_cookie = asked.cookie("farside-form") or token_urlsafe(16)
        html = self._render(
            "sign_in.html",
            problem=problem,
            name=field(body, "name")[:64],
            next=local(field(body or asked.query.encode(), "next")),
            token=self._sessions.form_token("", form_cookie),
            have_passwords=self._people.have_passwords,
            has_proxy=bool(self._settings.proxy_header),
        )
        headers = NO_STORE | POLICY | ({"retry-after": "30"} if status == 429 else {})
        reply = Response(html, status, headers, "text/html; charset=utf-8")
        self._set(reply, asked, "farside-form", form_cookie, None)
        return reply

    @staticmethod
    def _to(path: str) -> Response:
        return RedirectResponse(path, 303, NO_STORE)

    @staticmethod
    def _set(reply: Response, asked: Asked, name: str, value: str, max_age: int | None) -> None:
        reply.set_cookie(
            asked.cookie_name(name), value, max_age=max_age, path="/", secure=asked.is_https, httponly=True,
            samesite="lax",
        )  # fmt: skip

    def _with_cookie(self, asked: Asked, form_cookie: str, send: Send) -> Send:
        """Hand the browser what its forms' tokens are bound to, with the first page it gets."""
        carrier = Response()
        self._set(carrier, asked, "farside-form", form_cookie, None)
        added = [header for header in carrier.raw_headers if header[0] == b"set-cookie"]

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        return send_with_cookie

    def _refusal(self, asked: Asked, turned: Turned) -> Response:
        headers = NO_STORE | turned.headers
        if not asked.is_for_people:
            return JSONResponse({"problem": f"{turned.problem} {turned.remedy}".strip()}, turned.status, headers)
        if asked.path == "/metrics":
            return PlainTextResponse(f"{turned.problem} {turned.remedy}\n", turned.status, headers)
        if turned.status == 401 and asked.method in READING:
            back = asked.path + (f"?{asked.query}" if asked.query else "")
            return self._to(f"/sign-in?next={quote(back)}" if back != "/" else "/sign-in")
        html = self._render("refused.html", status=turned.status, problem=turned.problem, remedy=turned.remedy)
        return Response(html, turned.status, headers | POLICY, "text/html; charset=utf-8")


def local(path: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere becomes the first page.

    Browsers read `//host` and `/\\host` as another host, and drop tabs and newlines before they look.
    """
    return path if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", path) and len(path) < 4_096 else "/"
