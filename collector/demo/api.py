"""The web front's API: what the shop's scripts fetch after a page has loaded.

All of it is JSON. Some of it fails on purpose, as real shops do: a sold-out product is 409, gift cards are 503.
"""

import asyncio

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.demo import basket, stall
from collector.demo.cards import card, cards
from collector.demo.upstream import Upstream

_OFFER_S = 0.5
_GIFT_CARD_S = 0.3

_tracer = trace.get_tracer(__name__)


async def list_products(request: Request) -> Response:
    """One page of the endless list: `{"items", "next"}`, `next` null at the end."""
    upstream: Upstream = request.app.state.upstream
    found = await upstream.product("/products", **request.query_params)
    return JSONResponse({"items": await cards(upstream, found["items"]), "next": found.get("next")})


async def show_product(request: Request) -> Response:
    """What the quick view shows of a product."""
    upstream: Upstream = request.app.state.upstream
    number = request.path_params["id"]
    product, pictures, comments = await asyncio.gather(
        upstream.product(f"/products/{number}"),
        upstream.pictures([number]),
        upstream.ask("comment", "/comments", product=number),
    )
    shown = card(product, pictures.get(str(number), {}))
    return JSONResponse(shown | {"description": product["description"], "reviews": len(comments)})


async def add_to_cart(request: Request) -> Response:
    """`{"id": 7}` → 201 and how many pieces the basket holds now."""
    upstream: Upstream = request.app.state.upstream
    wanted = await stall.body(request)
    if not isinstance(wanted.get("id"), int):
        return _problem(400, 'The body is not {"id": number}.')
    product = await upstream.product(f"/products/{wanted['id']}")
    if product["stock"] == 0:
        return _problem(409, f"{product['name']} sold out while you were looking.")
    mine = basket.basket_of(request) or basket.new_basket()
    basket.put(request.app.state.store, mine, product["id"])
    pieces = sum(basket.pieces(request.app.state.store, mine).values())
    reply = JSONResponse({"pieces": pieces}, status_code=201)
    basket.hand_out(reply, mine)
    return reply


async def show_offer(request: Request) -> Response:
    """Today's offer: late enough that the page it is pushed into has long been read."""
    with _tracer.start_as_current_span("choose offer"):
        await asyncio.sleep(_OFFER_S)
    return JSONResponse({"text": "Free shipping until Sunday, lamps included.", "href": "/products?category=lighting"})


async def check_gift_card(request: Request) -> Response:
    """Always 503: the shop's gift card partner has been away since spring."""
    with _tracer.start_as_current_span("ask gift card partner") as span:
        await asyncio.sleep(_GIFT_CARD_S)
        span.set_status(Status(StatusCode.ERROR, "no answer from the gift card partner"))
    return _problem(503, "Gift cards cannot be checked at the moment.")


async def list_votes(request: Request) -> Response:
    """How many like each of these products: `{"7": 63}`."""
    upstream: Upstream = request.app.state.upstream
    return JSONResponse(await upstream.ask("voting", "/votes", ids=request.query_params.get("ids", "")))


async def vote(request: Request) -> Response:
    """One more like → 201 `{"likes": 64}`."""
    upstream: Upstream = request.app.state.upstream
    return JSONResponse(await upstream.tell("voting", f"/votes/{request.path_params['id']}"), 201)


async def place_order(request: Request) -> Response:
    """What is in the basket is ordered → 201 `{"order", "total"}`, the total in cents."""
    upstream: Upstream = request.app.state.upstream
    mine = basket.basket_of(request)
    pieces = basket.pieces(request.app.state.store, mine)
    if not pieces:
        return _problem(409, "There is nothing in your basket.")
    placed = await upstream.tell("checkout", "/orders", {"basket": mine, "pieces": pieces})
    basket.empty(request.app.state.store, mine)
    return JSONResponse(placed, 201)


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)


ROUTES = [
    Route("/api/products", list_products),
    Route("/api/products/{id:int}", show_product),
    Route("/api/cart", add_to_cart, methods=["POST"]),
    Route("/api/votes", list_votes),
    Route("/api/votes/{id:int}", vote, methods=["POST"]),
    Route("/api/orders", place_order, methods=["POST"]),
    Route("/api/offer", show_offer),
    Route("/api/gift-cards", check_gift_card, methods=["POST"]),
]
