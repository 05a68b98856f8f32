"""Pages: which address shows what.

Each page has one function that asks its questions; its JSON and CSV twins are the same function under another ending.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from collector.query.question import BadQuestion
from collector.refusing import wants_json
from collector.settings import Settings
from collector.store import Store
from collector.watch import Watch
from dashboards import (
    alerts,
    api,
    audit,
    compare,
    errors,
    explore,
    feeds,
    flags,
    now,
    overview,
    people,
    pipeline,
    releases,
    resources,
    route,
    rules,
    saved,
    search,
    servicemap,
    setup,
    trace,
    view,
)
from dashboards.site import HEADERS, Page, Site, is_for_programs

Maker = Callable[[Site, Request], Awaitable[Page]]

PAGES: tuple[tuple[str, str, Maker], ...] = (
    # page, twins, what answers
    ("/", "/overview", overview.page),
    ("/now", "/now", now.page),
    ("/routes", "/routes", route.page),
    ("/feeds", "/feeds", feeds.page),
    ("/compare", "/compare", compare.page),
    ("/explore", "/explore", explore.page),
    ("/resources", "/resources", resources.page),
    ("/pipeline", "/pipeline", pipeline.page),
    ("/saved", "/saved", saved.page),
    ("/sessions/{session_id}", "/sessions/{session_id}", people.session),
    ("/users/{user_id:path}", "/users/{user_id:path}", people.user),
    ("/teams/{team:path}", "/teams/{team:path}", people.team),
    ("/views/{view_id}", "/views/{view_id}", view.page),
    ("/traces", "/traces", search.page),
    ("/map", "/map", servicemap.page),
    ("/traces/{trace_id}", "/traces/{trace_id}", trace.page),
    ("/setup", "/setup", setup.page),
    ("/errors", "/errors", errors.groups_page),
    ("/errors/{fingerprint}", "/errors/{fingerprint}", errors.group_page),
    ("/releases", "/releases", releases.page),
    ("/flags", "/flags", flags.page),
    ("/alerts", "/alerts", alerts.page),
    ("/rules", "/rules", rules.page),
    ("/audit", "/audit", audit.page),
)
YEAR_S = 31_536_000


def routes(
    store: Store,
    settings: Settings,
    watermark: Callable[[], datetime],
    away_since: Callable[[], datetime | None] = lambda: None,
    watch: Watch | None = None,
) -> list[BaseRoute]:
    """The routes of all pages. `watermark()` is the received_at up to which everything can be seen, and `away_since()`
    when the store began to take nothing in, None while it does."""
    site = Site(store, settings, watermark, away_since, frozenset(path for path, _, _ in PAGES))
    site.watch = watch
    squeezed = [Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)]
    found: list[BaseRoute] = [Route("/static/{hash}/{name}", _static(site), middleware=squeezed)]
    for path, twins, maker in PAGES:
        answer = _answer(site, maker)
        found += [Route(f"{twins}.{form}", answer, middleware=squeezed) for form in ("json", "csv")]
        found.append(Route(f"/api/v1{twins}", answer, middleware=squeezed))
        found.append(Route(path, answer, middleware=squeezed))
    found.append(Route("/api/v1/ask", partial(api.ask, site), methods=["POST"], middleware=squeezed))
    found.append(Route("/api/v1/vocabulary", partial(api.vocabulary, site)))
    found.append(Route("/now/tail", now.Tails(site).answer))
    found.append(Route("/search", people.search(site)))
    found.append(Route("/routes/{route:path}", route.typed))
    found.append(Route("/setup/status", _answer(site, setup.page)))
    found.append(Route("/rules/backtest", _answer(site, rules.page)))
    found.append(Route("/rules/new", _answer(site, rules.page)))
    return found


def _answer(site: Site, maker: Maker) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await site.respond(request, await maker(site, request))
        except BadQuestion as error:
            if is_for_programs(request.url.path):
                return JSONResponse({"problem": str(error)}, 400, HEADERS)
            html = site.render("bad_question.html", problem=str(error))
            return Response(html, 400, HEADERS, "text/html; charset=utf-8")

    return answer


def lost(site: Site) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """What answers where there is no page, where a page takes no such method, and where one broke."""

    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = HEADERS | dict((error.headers or {}) if isinstance(error, HTTPException) else {})
        if is_for_programs(request.url.path) or wants_json(request):
            return JSONResponse({"problem": HTTPStatus(status).phrase.lower()}, status, headers)
        html = await anyio.to_thread.run_sync(lambda: site.render("lost.html", status=status, request=request))
        return Response(html, status, headers, "text/html; charset=utf-8")

    return {404: answer, 405: answer, Exception: answer}


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
