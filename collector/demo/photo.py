"""The photo service: pictures that customers took of what they bought, in their own homes."""

import random
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.catalogue import products
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles

_TABLES = """
CREATE TABLE IF NOT EXISTS photos (id INTEGER PRIMARY KEY, product_id INTEGER, shown_id INTEGER, caption TEXT);
CREATE INDEX IF NOT EXISTS photos_by_product ON photos (product_id);
"""
_PLACES = (
    "By the window",
    "Next to the stove",
    "In the hall",
    "After the move",
    "With the cat's consent",
    "On a Sunday",
)


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`, filled from the catalogue."""
    return stall.app([Route("/photos", _photos)], lambda: _filled(open_store(store_path, _TABLES)), troubles)


def _filled(store: Store) -> Store:
    taken: list[tuple[int, int, int, str]] = []
    for product in products():
        dice = random.Random(product.id)  # noqa: S311 - made-up people need no secrecy
        for caption in dice.sample(_PLACES, dice.randint(0, 3)):
            taken.append((len(taken) + 1, product.id, dice.randint(1, 480), caption))
    store.fill("INSERT OR IGNORE INTO photos VALUES (?, ?, ?, ?)", taken)
    return store


async def _photos(request: Request) -> Response:
    """`?product=7` → `[{"id", "shown_id", "caption"}]`; `shown_id` is what the picture shows."""
    number = stall.whole(request, "product", default=1)
    found = stall.rows(request, "SELECT id, shown_id, caption FROM photos WHERE product_id = ? ORDER BY id", number)
    return JSONResponse(found)
