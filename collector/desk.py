"""Desk: what editors and CI change: what is decided about errors, markers, source maps.

Every route here lies behind the gate, which has looked at who asks and whether they may. Each writes its change into the
audit before it makes it; forms lead back to the page they came from, the API answers in JSON.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from collector import audit, sourcemaps
from collector.caller import Turned, caller_of, form_of
from collector.gate import NO_STORE, local
from collector.mapping import MAX_BYTES, BadMap
from collector.people import Person
from collector.query.errors import Decision, error_decisions
from collector.query.question import EPOCH, Question
from collector.refusing import told
from collector.settings import Settings
from collector.store import Store, StoreAway

Answer = TypeVar("Answer")
Write = Callable[[Request], Awaitable[Response]]

IGNORE_FOR = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
FINGERPRINT = re.compile(r"[0-9a-f]{16}\Z")
WORD = re.compile(r"[^\x00-\x1f\x7f]{1,128}\Z")
MAX_JSON_BYTES = 64 << 10


class Posted(msgspec.Struct, forbid_unknown_fields=True):
    """A marker as it is posted; `at` in ISO 8601, now if it is not said."""

    name: str
    app: str = ""
    kind: str = "deploy"
    at: datetime | None = None
    link: str = ""


class Mended(Turned):
    """What was sent is not right; the sentence says what would be."""

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(status, problem)


@dataclass(frozen=True, slots=True)
class Desk:
    """The routes, over one store."""

    store: Store
    settings: Settings

    def routes(self) -> list[BaseRoute]:
        """Everything that changes something here."""
        return [
            Route("/errors/{fingerprint}/decision", answering(self.decide), methods=["POST"]),
            Route("/api/v1/markers", answering(self.mark), methods=["POST"]),
            Route("/api/v1/sourcemaps", answering(self.upload), methods=["POST"]),
        ]

    async def decide(self, request: Request) -> Response:
        """A form of an error's page: resolve, reopen, ignore for a while, assign to a team."""
        fingerprint, form = request.path_params["fingerprint"], await form_of(request)
        app = self._app(form.get("app", ""))
        if not FINGERPRINT.match(fingerprint):
            raise Mended(f"{fingerprint[:40]!r} is no group of errors", 404)
        await anyio.to_thread.run_sync(self._decide, caller_of(request).person, app, fingerprint, form)
        return RedirectResponse(local(form.get("next", "/errors")), 303, NO_STORE)

    def _decide(self, person: Person, app: str, fingerprint: str, form: Mapping[str, str]) -> None:
        now = datetime.now(UTC)
        before = error_decisions(self.store, Question(app, now), fingerprint).get(fingerprint, Decision())
        after = _decided(before, form, now)
        audit.record(
            self.store, person, _action(form), fingerprint, app=app, before=_facts(before), after=_facts(after)
        )
        row = {"app": app, "fingerprint": fingerprint, "changed_at": now, "who": person.name}
        row |= {
            "state": after.state,
            "since_at": after.since or EPOCH,
            "until_at": after.until or EPOCH,
            "team": after.team,
        }
        self.store.append("error_states", [row])

    async def mark(self, request: Request) -> Response:
        """A moment worth a line on every chart of an app."""
        body = await _body(request, MAX_JSON_BYTES)
        try:
            posted = msgspec.json.decode(body, type=Posted)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Mended(f"this is no marker: {error}") from None
        at = posted.at or datetime.now(UTC)
        row: dict[str, Any] = {
            "app": self._app(posted.app),
            "at": at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
            "kind": _word("kind", posted.kind),
            "name": _word("name", posted.name),
            "link": posted.link[:500] if posted.link.startswith(("https://", "http://")) else "",
        }
        if not 0 <= row["at"].timestamp() < 4_102_444_800:
            raise Mended(f"at = {row['at']} is not a time between 1970 and 2100")
        await anyio.to_thread.run_sync(self._mark, caller_of(request).person, row)
        return JSONResponse({**row, "at": row["at"].isoformat()}, 201, NO_STORE)

    def _mark(self, person: Person, row: dict[str, Any]) -> None:
        facts = {name: str(value) for name, value in row.items() if name != "app"}
        audit.record(self.store, person, "marker posted", row["name"], app=row["app"], after=facts)
        self.store.append("markers", [row | {"who": person.name, "posted_at": datetime.now(UTC)}])

    async def upload(self, request: Request) -> Response:
        """One source map, as the request's body; which file's and of which release stands in the address."""
        given = request.query_params
        app, release = self._app(given.get("app", "")), _word("release", given.get("release", ""))
        file = given.get("file", "")
        if not file.startswith("/") or not 1 < len(file) <= 512 or not file.isprintable():
            raise Mended(f"file = {file[:80]!r} is not the path of a script, such as /assets/app.js")
        body = await _body(request, MAX_BYTES)
        person = caller_of(request).person
        try:
            facts = await anyio.to_thread.run_sync(
                partial(sourcemaps.keep, self.store, person, app, release, file, body), limiter=UPLOADS
            )
        except BadMap as error:
            raise Mended(f"the map of {file} is refused: {error}", 422) from None
        return JSONResponse({"app": app, "release": release, "file": file, "bytes": len(body), **facts}, 201, NO_STORE)

    def _app(self, name: str) -> str:
        found = name or next(iter(self.settings.apps), "")
        if found not in self.settings.apps:
            raise Mended(f"there is no app {found!r}; the settings know {', '.join(self.settings.apps) or 'none'}", 404)
        return found


UPLOADS = anyio.CapacityLimiter(2)  # each holds a whole map, and a process that reads it


def answering(write: Write) -> Write:
    """A route that changes something: what is wrong with a request, and a store that is away, are told to whoever asked."""

    async def answer(request: Request) -> Response:
        try:
            return await write(request)
        except Mended as error:
            return await told(request, [error.problem], error.status)
        except StoreAway as error:
            return await told(
                request, [f"nothing was changed, the store does not answer: {error}"], 503, retry_after_s=5
            )

    return answer


def _decided(before: Decision, form: Mapping[str, str], now: datetime) -> Decision:
    match form.get("do"):
        case "resolve":
            return Decision("resolved", now, team=before.team)
        case "reopen":
            return Decision("open", now, team=before.team)
        case "ignore":
            length = IGNORE_FOR.get(form.get("for", ""))
            if length is None and form.get("for") != "ever":
                raise Mended(f"ignored for {form.get('for')!r}; there are {', '.join(IGNORE_FOR)} and ever")
            return Decision("ignored", now, until=now + length if length else None, team=before.team)
        case "assign":
            team = form.get("team", "").strip()
            return Decision(before.state, before.since, until=before.until, team=_word("team", team) if team else "")
    raise Mended(f"do = {form.get('do')!r}; there are resolve, reopen, ignore and assign")


def _action(form: Mapping[str, str]) -> str:
    words = {"resolve": "resolved", "reopen": "reopened", "ignore": "ignored", "assign": "assigned"}
    return f"error {words[form['do']]}"


def _facts(decision: Decision) -> dict[str, str]:
    until = decision.until.isoformat(timespec="seconds") if decision.until else ""
    return {"state": decision.state, "until": until, "team": decision.team}


def _word(name: str, value: str) -> str:
    if not WORD.match(value):
        raise Mended(f"{name} = {value[:80]!r} is not a text of 1 to 128 printable characters")
    return value


async def _body(request: Request, limit: int) -> bytes:
    """A request's body under a cap. What is beyond it is read and forgotten, up to a point: whoever is still sending
    would not see the answer."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            body += chunk
        elif size > 4 * limit:
            break
    if size > limit:
        raise Mended(f"the body has more than {limit:,} bytes", 413)
    return bytes(body)
