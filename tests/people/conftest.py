"""A gate before a small application, asked by clients from anywhere: the gate, the people and the sessions are real."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from collector.caller import caller_of, form_of
from collector.gate import Gate
from collector.people import People, Sessions
from collector.settings import Apps, Settings

PASSWORD = "correct horse battery"
ELSEWHERE = "203.0.113.9"


class Behind:
    """What lies behind the gate: remembers which writes came through."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str]] = []
        paths = ["/", "/page", "/page.json", "/api/v1/errors", "/api/v1/markers", "/api/v1/ask", "/metrics", "/healthz"]
        methods = ["GET", "POST", "DELETE"]
        self.app = Starlette(routes=[Route(path, self.answer, methods=methods) for path in paths])

    async def answer(self, request: Request) -> JSONResponse:
        caller = caller_of(request)
        form = await form_of(request)
        if request.method != "GET":
            self.written.append((caller.person.name, request.url.path))
        return JSONResponse({"who": caller.person.name, "token": caller.form_token, "said": form.get("said", "")})


class Guarded:
    """A gate with these settings; `people` are viewers and editors with the one PASSWORD."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.behind = Behind()
        self.settings = Settings(data=folder, apps=Apps(()), **settings)
        self.people = People(self.settings.people_file)
        self.sessions = Sessions(folder / "sessions.sqlite3")
        render = lambda template, **context: f"{template} {context.get('token', '')} {context.get('problem', '')}"  # noqa: E731
        self.gate = Gate(self.behind.app, self.settings, self.people, self.sessions, render)

    def client(self, peer: str = "127.0.0.1", base: str = "http://localhost") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.gate, client=(peer, 40_000))
        return httpx.AsyncClient(transport=transport, base_url=base)

    async def signed_in(self, name: str, peer: str = ELSEWHERE, base: str = "http://localhost") -> httpx.AsyncClient:
        client = self.client(peer, base)
        reply = await sign_in(client, name)
        assert reply.status_code == 303, reply.text
        return client


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    token = (await client.get("/sign-in")).text.split()[1]
    return await client.post("/sign-in", data={"name": name, "password": password, "csrf": token, **more})


@pytest.fixture
def guarded(tmp_path: Path) -> Callable[..., Guarded]:
    def make(*names: str, **settings: Any) -> Guarded:
        found = Guarded(tmp_path, **settings)
        for name in names:
            found.people.put(name, name.rstrip("0123456789"), PASSWORD)
        return found

    return make
