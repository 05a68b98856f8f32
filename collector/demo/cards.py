"""Cards: products as the shop shows them, on a page and in its API, priced and with a picture's placeholder."""

from typing import Any

from collector.demo.upstream import Upstream


async def cards(upstream: Upstream, products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cards of `products`, in their order; asks the image service once for all of them."""
    pictures = await upstream.pictures([product["id"] for product in products]) if products else {}
    return [card(product, pictures.get(str(product["id"]), {})) for product in products]


def card(product: dict[str, Any], picture: dict[str, Any]) -> dict[str, Any]:
    """One card; a product without a picture gets a plain background."""
    return {
        "id": product["id"],
        "name": product["name"],
        "material": product["material"],
        "price": price(product["price"]),
        "background": picture.get("background", "#ddd"),
        "size": picture.get("size", 640),
        "sold_out": product["stock"] == 0,
    }


def price(cents: int) -> str:
    """8900 → `€ 89`, 8950 → `€ 89.50`."""
    return f"€ {cents // 100:,}" if cents % 100 == 0 else f"€ {cents / 100:,.2f}"
