"""The checkout service: turns a basket into an order, at the prices the product service names."""

import asyncio
import random
from pathlib import Path

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.store import open_store
from collector.demo.troubles import Troubles
from collector.demo.upstream import Upstream

_TABLES = "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY AUTOINCREMENT, basket TEXT, total INTEGER);"
_CHARGE_S = (0.12, 0.4)

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how long a bank takes is no secret


def app(store_path: Path, troubles: Troubles, upstream: Upstream) -> Starlette:
    """The service over the store in `store_path`."""
    routes = [Route("/orders", _order, methods=["POST"])]
    return stall.app(routes, lambda: open_store(store_path, _TABLES), troubles, upstream)


async def _order(request: Request) -> Response:
    """`{"basket", "pieces": {"7": 2}}` → 201 `{"order": 1, "total": 17800}`, in cents."""
    upstream: Upstream = request.app.state.upstream
    wanted = await stall.body(request)
    pieces = wanted.get("pieces")
    if not isinstance(pieces, dict) or not pieces:
        raise HTTPException(400, "An order needs at least one piece.")
    found = (await upstream.ask("product", "/products", ids=",".join(pieces)))["items"]
    total = sum(product["price"] * int(pieces[str(product["id"])]) for product in found)
    with _tracer.start_as_current_span("charge card", attributes={"shop.total": total}):
        await asyncio.sleep(_dice.uniform(*_CHARGE_S))
    store = request.app.state.store
    store.write("INSERT INTO orders (basket, total) VALUES (?, ?)", str(wanted.get("basket", ""))[:64], total)
    return JSONResponse({"order": store.rows("SELECT max(id) AS id FROM orders")[0]["id"], "total": total}, 201)
