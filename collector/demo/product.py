"""The product service: names, prices and stock, as JSON, out of its own store.

Some shelves are slow now and then, each for a reason its spans show: stock of large things is asked of a far
warehouse, prices of lamps are worked out by rules, the list of everything is ranked. Nothing here knows of browsers.
"""

import asyncio
import math
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
from collector.demo.catalogue import CATEGORIES, products
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles

PAGE_SIZE = 12

_TABLES = """
CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY, name TEXT, category TEXT, kind TEXT, collection TEXT, material TEXT,
    price INTEGER, stock INTEGER, description TEXT);
CREATE INDEX IF NOT EXISTS products_by_category ON products (category);
"""
_CARD = "id, name, category, material, price, stock"

# Category → the span that is slow, how often, and its typical seconds.
_SLOW = {
    "": ("rank for visitor", 1.0, 0.12),  # all shelves at once
    "lighting": ("price rules", 0.6, 0.35),
    "seating": ("warehouse stock", 0.5, 0.6),
    "storage": ("warehouse stock", 0.3, 0.45),
}

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how slow a shelf is today is no secret


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`, filled from the catalogue."""
    routes = [
        Route("/categories", _categories),
        Route("/featured", _featured),
        Route("/products", _list),
        Route("/products/{id:int}", _one),
    ]
    return stall.app(routes, lambda: _filled(open_store(store_path, _TABLES)), troubles)


def _filled(store: Store) -> Store:
    store.fill(
        "INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (p.id, p.name, p.category, p.kind, p.collection, p.material, p.price, p.stock, p.description)
            for p in products()
        ],
    )
    return store


async def _categories(request: Request) -> Response:
    counts = stall.rows(request, "SELECT category, count(*) AS products FROM products GROUP BY category")
    products_in = {row["category"]: row["products"] for row in counts}
    shelves = [
        {"slug": c.slug, "title": c.title, "tagline": c.tagline, "products": products_in.get(c.slug, 0)}
        for c in CATEGORIES
    ]
    return JSONResponse(shelves)


async def _featured(request: Request) -> Response:
    # One of every shelf: the same for everybody, changed by whoever dresses the window.
    firsts = "SELECT min(id) FROM products WHERE stock > 0 GROUP BY category"
    return JSONResponse(stall.rows(request, f"SELECT {_CARD} FROM products WHERE id IN ({firsts}) ORDER BY id"))


async def _list(request: Request) -> Response:
    if "ids" in request.query_params:
        return JSONResponse({"items": _by_ids(request)})
    page = stall.whole(request, "page", default=1)
    category = request.query_params.get("category", "")
    where = "WHERE ? IN ('', category)"
    (counted,) = stall.rows(request, f"SELECT count(*) AS total FROM products {where}", category)
    items = stall.rows(
        request,
        f"SELECT {_CARD} FROM products {where} ORDER BY id LIMIT ? OFFSET ?",
        category,
        PAGE_SIZE,
        (page - 1) * PAGE_SIZE,
    )
    await _dawdle(category)
    pages = math.ceil(counted["total"] / PAGE_SIZE)
    return JSONResponse({"items": items, "total": counted["total"], "next": page + 1 if page < pages else None})


async def _one(request: Request) -> Response:
    number = request.path_params["id"]
    product = next(iter(stall.rows(request, "SELECT * FROM products WHERE id = ?", number)), None)
    if product is None:
        raise HTTPException(404, f"There is no product {number}.")
    product["related"] = stall.rows(
        request,
        f"SELECT {_CARD} FROM products WHERE collection = ? AND id <> ? ORDER BY id LIMIT 4",
        product["collection"],
        number,
    )
    await _dawdle(product["category"])
    return JSONResponse(product)


def _by_ids(request: Request) -> list[dict[str, Any]]:
    asked = stall.ids(request)
    return stall.rows(request, f"SELECT {_CARD} FROM products WHERE id IN ({stall.marks(asked)})", *asked)


async def _dawdle(category: str) -> None:
    """Take the time that `category` takes today: mostly none, sometimes much, as a far system would."""
    name, share, typical_s = _SLOW.get(category, ("", 0.0, 0.0))
    if _dice.random() < share:
        with _tracer.start_as_current_span(name, attributes={"shop.category": category}):
            await asyncio.sleep(min(_dice.lognormvariate(math.log(typical_s), 0.5), 3.0))
