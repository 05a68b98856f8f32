"""The image service: product pictures, drawn when first asked for and kept in its own store.

It also answers what a page wants to know before a picture is there: its size and the colour of its background. Every
eleventh picture is slow each time, as if its original were too large to keep a small copy of.
"""

import asyncio
import random
from pathlib import Path
from typing import Any

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.catalogue import products
from collector.demo.drawing import draw, room
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles

SIZE = 640
_SLOW_EVERY = 11
_SLOW_S = (0.4, 1.6)
_DRAW_S = (0.01, 0.06)

_TABLES = """
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY, kind TEXT, collection TEXT, material TEXT, background TEXT, svg TEXT);
"""

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how long a drawing takes is no secret


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`, filled from the catalogue."""
    routes = [Route("/pictures", _placeholders), Route("/pictures/{id:int}", _picture)]
    return stall.app(routes, lambda: _filled(open_store(store_path, _TABLES)), troubles)


def _filled(store: Store) -> Store:
    rows = [(p.id, p.kind, p.collection, p.material, room(p.id)) for p in products()]
    store.fill("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?, NULL)", rows)
    return store


async def _placeholders(request: Request) -> Response:
    """`?ids=1,2,3` → `{"1": {"background", "size"}, …}`; ids without a picture are left out."""
    asked = stall.ids(request)
    found = stall.rows(request, f"SELECT id, background FROM pictures WHERE id IN ({stall.marks(asked)})", *asked)
    return JSONResponse({str(row["id"]): {"background": row["background"], "size": SIZE} for row in found})


async def _picture(request: Request) -> Response:
    number = request.path_params["id"]
    store: Store = request.app.state.store
    kept = store.row("SELECT kind, collection, material, svg FROM pictures WHERE id = ?", number)
    if kept is None:
        raise HTTPException(404, f"There is no picture {number}.")
    if number % _SLOW_EVERY == 0:
        with _tracer.start_as_current_span("shrink original", attributes={"shop.picture": number}):
            await asyncio.sleep(_dice.uniform(*_SLOW_S))
    svg = kept["svg"] or await _draw(store, number, kept)
    # A year in a browser's cache: a product's picture never changes.
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=31536000, immutable"})


async def _draw(store: Store, number: int, kept: dict[str, Any]) -> str:
    with _tracer.start_as_current_span("draw", attributes={"shop.picture": number}):
        await asyncio.sleep(_dice.uniform(*_DRAW_S))
        svg = draw(number, kept["kind"], kept["collection"], kept["material"], SIZE)
    store.write("UPDATE pictures SET svg = ? WHERE id = ?", svg, number)
    return svg
