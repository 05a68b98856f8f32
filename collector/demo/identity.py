"""The identity service: who a visitor is. Two in three have told the shop their name; the others stay strangers."""

from pathlib import Path
from zlib import crc32

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.store import open_store
from collector.demo.troubles import Troubles

_TABLES = "CREATE TABLE IF NOT EXISTS visitors (cookie TEXT PRIMARY KEY, id TEXT, name TEXT, pages INTEGER);"
_NAMES = ("Ines", "Tomasz", "Rukmini", "Bo", "Halima", "Jorge", "Wanjiru", "Siobhan", "Kenji", "Marit", "Ada", "Luca")


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`."""
    return stall.app([Route("/visitors/{cookie}", _visitor)], lambda: open_store(store_path, _TABLES), troubles)


async def _visitor(request: Request) -> Response:
    """`{"id", "name"}` of whoever carries this cookie; both empty for a stranger."""
    cookie = request.path_params["cookie"][:64]
    number = crc32(cookie.encode())
    is_known = number % 3 != 0
    stall.rows(
        request,
        "INSERT INTO visitors VALUES (?, ?, ?, 1) ON CONFLICT (cookie) DO UPDATE SET pages = pages + 1",
        cookie,
        f"u-{number % 10_000:04}" if is_known else "",
        _NAMES[number % len(_NAMES)] if is_known else "",
    )
    (found,) = stall.rows(request, "SELECT id, name FROM visitors WHERE cookie = ?", cookie)
    return JSONResponse(found)
