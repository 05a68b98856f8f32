"""Stall: what the shop's services have in common: an application over a store of its own, alive while it answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collector.demo.store import Store
from collector.demo.troubles import Troubles
from collector.demo.upstream import Upstream

MOST_IDS = 50


def app(
    routes: Sequence[Route], opened: Callable[[], Store], troubles: Troubles, upstream: Upstream | None = None
) -> Starlette:
    """A service with these routes over the store that `opened` opens; `upstream` if it asks others."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.store = opened()
        yield
        app.state.store.close()
        if upstream:
            await upstream.close()

    service = Starlette(routes=[Route("/healthz", _healthz), *routes], lifespan=lifespan)
    service.state.troubles = troubles
    service.state.upstream = upstream
    return service


def rows(request: Request, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of this service's own store."""
    store: Store = request.app.state.store
    return store.rows(statement, *values)


def ids(request: Request) -> list[int]:
    """`?ids=1,2,3`; what is no number is left out."""
    given = request.query_params.get("ids", "").split(",")[:MOST_IDS]
    return [int(text[:9]) for text in given if text.isdecimal() and text.isascii()]


def marks(values: Sequence[object]) -> str:
    """`?, ?, ?` for a statement."""
    return ", ".join("?" * len(values))


def whole(request: Request, name: str, default: int) -> int:
    """A whole number of the query, or 400."""
    text = request.query_params.get(name, str(default))
    if not (text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= 10_000):
        raise HTTPException(400, f"{name}={text[:40]!r} is not a whole number from 1 to 10000.")
    return int(text)


async def body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; an empty one for anything else."""
    try:
        sent = await request.json()
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok")
