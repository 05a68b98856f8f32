"""The web front: the shop's pages, its API and its pictures, put together from two services and a store of baskets.

Pages are rendered here and are never cached; pictures pass through with the image service's own Cache-Control. Each
page carries the snippet's paste line and names its trace in Server-Timing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from collector.demo import api, basket
from collector.demo.cards import card, cards, price
from collector.demo.upstream import Upstream

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the web front must be told: the services' addresses, where browsers find the snippet, and its release."""

    product: str
    image: str
    snippet: str
    release: str


def app(store_path: Path, around: Surroundings) -> Starlette:
    """The shop, its baskets in `store_path`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.store = basket.open_baskets(store_path)
        app.state.upstream = Upstream(around.product, around.image)
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
    shelves, featured = await asyncio.gather(upstream.product("/categories"), upstream.product("/featured"))
    return _page(request, "home.html", shelves=shelves, cards=await cards(upstream, featured))


async def _list(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    category = request.query_params.get("category", "")
    shelves, found = await asyncio.gather(
        upstream.product("/categories"), upstream.product("/products", page=1, category=category)
    )
    shelf = next((shelf for shelf in shelves if shelf["slug"] == category), None)
    return _page(
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
    product = await upstream.product(f"/products/{request.path_params['id']}")
    pictures = await upstream.pictures([product["id"], *(other["id"] for other in product["related"])])
    related = [card(other, pictures.get(str(other["id"]), {})) for other in product["related"]]
    shown = card(product, pictures.get(str(product["id"]), {}))
    return _page(request, "product.html", product=product, card=shown, cards=related)


async def _cart(request: Request) -> Response:
    upstream: Upstream = request.app.state.upstream
    pieces = basket.pieces(request.app.state.store, basket.basket_of(request))
    if not pieces:
        return _page(request, "cart.html", lines=[], total=price(0))
    found = (await upstream.product("/products", ids=",".join(map(str, pieces))))["items"]
    shown = await cards(upstream, found)
    lines = [{"card": shown[at], "pieces": pieces[product["id"]]} for at, product in enumerate(found)]
    total = sum(product["price"] * pieces[product["id"]] for product in found)
    return _page(request, "cart.html", lines=lines, total=price(total))


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
    if request.url.path.startswith(("/api/", "/images/")):
        return JSONResponse({"message": error.detail}, status_code=error.status_code)
    return _page(request, "problem.html", error.status_code, message=error.detail)


def _on_every_page(request: Request) -> dict[str, Any]:
    in_basket = basket.pieces(request.app.state.store, basket.basket_of(request))
    return {"around": request.app.state.around, "in_basket": sum(in_basket.values())}


def _page(request: Request, name: str, status: int = 200, **context: Any) -> Response:
    templates: Jinja2Templates = request.app.state.templates
    # no-cache, not no-store: the page must be fetched anew, but may still come back with the Back button.
    headers = {"Cache-Control": "private, no-cache"}
    return templates.TemplateResponse(request, name, context, status_code=status, headers=headers)
