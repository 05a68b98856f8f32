"""The moderation service: whether a comment may be shown. It reads the words each time, which takes a moment."""

import asyncio
import random
from pathlib import Path

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import stall
from collector.demo.store import open_store
from collector.demo.troubles import Troubles

_TABLES = "CREATE TABLE IF NOT EXISTS banned (comment_id INTEGER PRIMARY KEY, reason TEXT);"
_READ_S = (0.008, 0.03)

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how long reading takes is no secret


def app(store_path: Path, troubles: Troubles) -> Starlette:
    """The service over the store in `store_path`."""
    routes = [Route("/verdicts", _verdicts), Route("/verdicts/{id:int}", _verdict)]
    return stall.app(routes, lambda: open_store(store_path, _TABLES), troubles)


async def _verdicts(request: Request) -> Response:
    """`?ids=1,2` → `{"1": true, "2": true}`: all at once costs what one costs."""
    asked = stall.ids(request)
    with _tracer.start_as_current_span("read comments", attributes={"shop.comments": len(asked)}):
        await asyncio.sleep(_dice.uniform(*_READ_S))
    banned = stall.rows(request, f"SELECT comment_id FROM banned WHERE comment_id IN ({stall.marks(asked)})", *asked)
    ids_banned = {row["comment_id"] for row in banned}
    return JSONResponse({str(number): number not in ids_banned for number in asked})


async def _verdict(request: Request) -> Response:
    """One comment → `{"is_fine": true}`."""
    number = request.path_params["id"]
    with _tracer.start_as_current_span("read comment"):
        await asyncio.sleep(_dice.uniform(*_READ_S))
    banned = stall.rows(request, "SELECT 1 FROM banned WHERE comment_id = ?", number)
    return JSONResponse({"is_fine": not banned})
