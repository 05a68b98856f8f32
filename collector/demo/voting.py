"""The voting service: how many people like a product. With the trouble `slow-voting` it recounts before it answers."""

import asyncio
import math
import random
from pathlib import Path

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.catalogue import products
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles

_TABLES = "CREATE TABLE IF NOT EXISTS votes (product_id INTEGER PRIMARY KEY, likes INTEGER);"
_RECOUNT_S = 1.6

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how long a recount takes is no secret


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`, filled from the catalogue."""
    routes = [Route("/votes", _votes), Route("/votes/{id:int}", _vote, methods=["POST"])]
    return stall.app(routes, lambda: _filled(open_store(store_path, _TABLES)), troubles)


def _filled(store: Store) -> Store:
    store.fill("INSERT OR IGNORE INTO votes VALUES (?, ?)", [(p.id, p.id * 7919 % 97) for p in products()])
    return store


async def _votes(request: Request) -> Response:
    """`?ids=1,2` → `{"1": 63, "2": 20}`."""
    asked = stall.ids(request)
    if request.app.state.troubles.is_on("slow-voting"):
        with _tracer.start_as_current_span("recount all votes"):
            await asyncio.sleep(min(_dice.lognormvariate(math.log(_RECOUNT_S), 0.3), 4.0))
    found = stall.rows(request, f"SELECT * FROM votes WHERE product_id IN ({stall.marks(asked)})", *asked)
    return JSONResponse({str(row["product_id"]): row["likes"] for row in found})


async def _vote(request: Request) -> Response:
    """One more like → `{"likes": 64}`."""
    number = request.path_params["id"]
    stall.rows(request, "UPDATE votes SET likes = likes + 1 WHERE product_id = ?", number)
    found = stall.rows(request, "SELECT likes FROM votes WHERE product_id = ?", number)
    if not found:
        raise HTTPException(404, f"There is no product {number}.")
    return JSONResponse(found[0], status_code=201)
