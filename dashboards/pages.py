"""Pages: which address shows what.

Each page has one function that asks its questions; its JSON and CSV twins are the same function under another ending.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from collector.query.question import BadQuestion
from collector.settings import Settings
from collector.store import Store
from dashboards import overview, setup, trace, view
from dashboards.site import HEADERS, Page, Site

Maker = Callable[[Site, Request], Awaitable[Page]]

PAGES: tuple[tuple[str, str, Maker], ...] = (
    # page, twins, what answers
    ("/", "/overview", overview.page),
    ("/views/{view_id}", "/views/{view_id}", view.page),
    ("/traces/{trace_id}", "/traces/{trace_id}", trace.page),
    ("/setup", "/setup", setup.page),
)
YEAR_S = 31_536_000


def routes(
    store: Store,
    settings: Settings,
    watermark: Callable[[], datetime],
    away_since: Callable[[], datetime | None] = lambda: None,
) -> list[BaseRoute]:
    """The routes of all pages. `watermark()` is the received_at up to which everything can be seen, and `away_since()`
    when the store began to take nothing in, None while it does."""
    site = Site(store, settings, watermark, away_since)
    squeezed = [Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)]
    found: list[BaseRoute] = [Route("/static/{hash}/{name}", _static(site), middleware=squeezed)]
    for path, twins, maker in PAGES:
        answer = _answer(site, maker)
        found += [Route(f"{twins}.{form}", answer, middleware=squeezed) for form in ("json", "csv")]
        found.append(Route(path, answer, middleware=squeezed))
    found.append(Route("/setup/status", _answer(site, setup.page)))
    return found


def _answer(site: Site, maker: Maker) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await site.respond(request, await maker(site, request))
        except BadQuestion as error:
            if request.url.path.endswith((".json", ".csv")):
                return JSONResponse({"problem": str(error)}, 400, HEADERS)
            html = site.render("bad_question.html", problem=str(error))
            return Response(html, 400, HEADERS, "text/html; charset=utf-8")

    return answer


def _static(site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def static(request: Request) -> Response:
        known = site.files.get(request.path_params["name"])
        if known is None:
            return Response("no such file\n", 404, HEADERS, "text/plain")
        digest, content, kind = known
        # An address of another build gets today's file, but may not keep it.
        is_current = digest == request.path_params["hash"]
        cache = f"public, max-age={YEAR_S}, immutable" if is_current else "no-store"
        return Response(content, 200, {"cache-control": cache, "x-content-type-options": "nosniff"}, kind)

    return static
