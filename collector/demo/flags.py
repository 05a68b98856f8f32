"""The flag service: which features are on for a visitor. With the trouble `flags-away` it answers 503."""

from pathlib import Path
from zlib import crc32

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.store import Store, open_store
from collector.demo.troubles import Troubles

_TABLES = "CREATE TABLE IF NOT EXISTS flags (name TEXT PRIMARY KEY, percent INTEGER);"
_FLAGS = (("gallery", 50), ("votes", 100), ("free-shipping", 20))


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`."""
    return stall.app([Route("/flags", _flags)], lambda: _filled(open_store(store_path, _TABLES)), troubles)


def _filled(store: Store) -> Store:
    store.fill("INSERT OR IGNORE INTO flags VALUES (?, ?)", _FLAGS)
    return store


async def _flags(request: Request) -> Response:
    """`?visitor=…` → `{"gallery": true, …}`, the same for the same visitor."""
    if request.app.state.troubles.is_on("flags-away"):
        raise HTTPException(503, "Flags cannot be told at the moment.")
    visitor = request.query_params.get("visitor", "")[:64]
    return JSONResponse(
        {
            row["name"]: crc32(f"{row['name']}/{visitor}".encode()) % 100 < row["percent"]
            for row in stall.rows(request, "SELECT name, percent FROM flags")
        }
    )
