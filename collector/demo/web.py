"""The web front: the shop's pages, put together from its services and a store of baskets.

Pages are rendered here and are never cached; pictures pass through with the image service's own Cache-Control. Each
page carries the snippet's paste line and names its trace in Server-Timing.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from collector.demo import api, basket, control, partner
from collector.demo.cards import card, cards, price
from collector.demo.features import Features
from collector.demo.troubles import Troubles
from collector.demo.upstream import Upstream

_HERE = Path(__file__).parent
_BAD_RELEASE = "2.15.0"
_RECOMMEND_S = (1.2, 2.2)

_tracer = trace.get_tracer(__name__)
_dice = random.Random()  # noqa: S311 - how long recommendations take is no secret


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the web front must be told: the services' addresses, where browsers find the snippet, its release, and what
    is wrong today."""

    urls: Mapping[str, str]
    snippet: str
    release: str
    troubles: Troubles

    @property
    def running(self) -> str:
        """The release that runs: the bad one while that trouble is planted."""
        return _BAD_RELEASE if self.troubles.is_on("bad-release") else self.release


def app(store_path: Path, around: Surroundings) -> Starlette:
    """The shop, its baskets in `store_path`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.store = basket.open_baskets(store_path)
        app.state.upstream = Upstream(around.urls)
        app.state.features = Features(app.state.upstream)
        yield
        await app.state.upstream.close()
        app.state.store.close()

    shop = Starlette(
        routes=[
            Route("/", _home),
            Route("/products", _list),
            Route("/products/{id:int}", _product),
            Route("/cart", _cart),
            Route("/images/{id:int}", _image),
            Route("/healthz", _healthz),
            *api.ROUTES,
            *control.ROUTES,
            *partner.ROUTES,
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _problem},
    )
    shop.state.templates = Jinja2Templates(directory=_HERE / "templates", context_processors=[_on_every_page])
    shop.state.around = around
    return shop


async def _home(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    shelves, featured, _ = await asyncio.gather(
        upstream.product("/categories"), upstream.product("/featured"), _recommended(request)
    )
    return await _page(request, "home.html", shelves=shelves, cards=await cards(upstream, featured))


async def _list(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    category = request.query_params.get("category", "")
    shelves, found, _ = await asyncio.gather(
        upstream.product("/categories"),
        upstream.product("/products", page=1, category=category),
        _recommended(request),
    )
    shelf = next((shelf for shelf in shelves if shelf["slug"] == category), None)
    return await _page(
        request,
        "list.html",
        shelves=shelves,
        shelf=shelf,
        total=found["total"],
        next=found["next"],
        cards=await cards(upstream, found["items"]),
    )


async def _product(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    number = request.path_params["id"]
    product, comments, photos = await asyncio.gather(
        upstream.product(f"/products/{number}"),
        upstream.ask("comment", "/comments", product=number),
        upstream.ask("photo", "/photos", product=number),
    )
    pictures = await upstream.pictures([product["id"], *(other["id"] for other in product["related"])])
    related = [card(other, pictures.get(str(other["id"]), {})) for other in product["related"]]
    shown = card(product, pictures.get(str(product["id"]), {}))
    return await _page(
        request, "product.html", product=product, card=shown, cards=related, comments=comments, photos=photos
    )


async def _cart(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    pieces = basket.pieces(request.app.state.store, basket.basket_of(request))
    if not pieces:
        return await _page(request, "cart.html", lines=[], total=price(0))
    found = (await upstream.product("/products", ids=",".join(map(str, pieces))))["items"]
    shown = await cards(upstream, found)
    lines = [{"card": shown[at], "pieces": pieces[product["id"]]} for at, product in enumerate(found)]
    total = sum(product["price"] * pieces[product["id"]] for product in found)
    return await _page(request, "cart.html", lines=lines, total=price(total))


async def _recommended(request: Request) -> None:
    """What release 2.15.0 does before it sends anything."""
    if request.app.state.around.troubles.is_on("bad-release"):
        with _tracer.start_as_current_span("work out recommendations"):
            await asyncio.sleep(_dice.uniform(*_RECOMMEND_S))


async def _image(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    picture = await upstream.picture(request.path_params["id"])
    return Response(
        picture.content,
        media_type=picture.headers["content-type"],
        headers={"Cache-Control": picture.headers["cache-control"]},
    )


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(("/api/", "/images/", "/partner/")):
        return JSONResponse({"message": error.detail}, status_code=error.status_code)
    return await _page(request, "problem.html", error.status_code, message=error.detail)


def _on_every_page(request: Request) -> dict[str, Any]:
    around: Surroundings = request.app.state.around
    in_basket = basket.pieces(request.app.state.store, basket.basket_of(request))
    return {
        "around": around,
        "in_basket": sum(in_basket.values()),
        "planted": around.troubles.planted(),
        "partner": partner.address(request),
    }


async def _page(request: Request, name: str, status: int = 200, **context: Any) -> Response:
    templates: Jinja2Templates = request.app.state.templates
    known = basket.visitor_of(request)
    visitor = known or basket.new_visitor()
    features, person = await asyncio.gather(request.app.state.features.of(visitor), _person(request, known))
    # no-cache, not no-store: the page must be fetched anew, but may still come back with the Back button.
    headers = {"Cache-Control": "private, no-cache"}
    context |= {"features": features, "person": person}
    reply = templates.TemplateResponse(request, name, context, status_code=status, headers=headers)
    if not known:
        basket.remember_visitor(reply, visitor)
    return reply


async def _person(request: Request, visitor: str) -> dict[str, str]:
    """Who this is; nobody on a first visit, or when the identity service cannot tell."""
    if not visitor:
        return {"id": "", "name": ""}
    upstream: Upstream = request.app.state.upstream
    try:
        person: dict[str, str] = await upstream.ask("identity", f"/visitors/{visitor}")
    except HTTPException:
        return {"id": "", "name": ""}
    return person
