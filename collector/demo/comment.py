"""The comment service: what customers wrote about a product, as far as the moderation service lets it be shown.

It asks about all comments of a product at once; with the trouble `n-plus-one` it asks about one after the other.
"""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.catalogue import products
from collector.demo.reviews import reviews_of
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles
from collector.demo.upstream import Upstream

_TABLES = """
CREATE TABLE IF NOT EXISTS comments (
    id INTEGER PRIMARY KEY, product_id INTEGER, author TEXT, stars INTEGER, words TEXT);
CREATE INDEX IF NOT EXISTS comments_by_product ON comments (product_id);
"""


def app(store_path: Path, troubles: Troubles, upstream: Upstream) -> Starlette:
    """The service over the store in `store_path`, filled from the catalogue."""
    routes = [Route("/comments", _comments)]
    return stall.app(routes, lambda: _filled(open_store(store_path, _TABLES)), troubles, upstream)


def _filled(store: Store) -> Store:
    written = [(product.id, review) for product in products() for review in reviews_of(product)]
    store.fill(
        "INSERT OR IGNORE INTO comments VALUES (?, ?, ?, ?, ?)",
        [(at, number, review.author, review.stars, review.words) for at, (number, review) in enumerate(written, 1)],
    )
    return store


async def _comments(request: Request) -> Response:
    """`?product=7` → `[{"id", "author", "stars", "words"}]`."""
    found = stall.rows(
        request,
        "SELECT id, author, stars, words FROM comments WHERE product_id = ? ORDER BY id",
        stall.whole(request, "product", default=1),
    )
    fine = await _fine(request, [row["id"] for row in found])
    return JSONResponse([row for row in found if row["id"] in fine])


async def _fine(request: Request, numbers: list[int]) -> set[int]:
    upstream: Upstream = request.app.state.upstream
    if not numbers:
        return set()
    if request.app.state.troubles.is_on("n-plus-one"):
        return {number for number in numbers if (await upstream.ask("moderation", f"/verdicts/{number}"))["is_fine"]}
    verdicts = await upstream.ask("moderation", "/verdicts", ids=",".join(map(str, numbers)))
    return {number for number in numbers if verdicts[str(number)]}
