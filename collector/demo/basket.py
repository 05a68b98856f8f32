"""Baskets: what visitors want to buy, in the web front's own store, under a random id in a cookie; and by another cookie
they are known again."""

import secrets
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from collector.demo.store import Store, open_store

COOKIE = "basket"
VISITOR = "visitor"
_TABLES = """
CREATE TABLE IF NOT EXISTS baskets (
    id TEXT, product_id INTEGER, pieces INTEGER, PRIMARY KEY (id, product_id));
"""


def open_baskets(path: Path) -> Store:
    """The web front's store."""
    return open_store(path, _TABLES)


def put(store: Store, basket: str, product_id: int) -> None:
    """One more piece of a product."""
    store.write(
        "INSERT INTO baskets VALUES (?, ?, 1) ON CONFLICT (id, product_id) DO UPDATE SET pieces = pieces + 1",
        basket,
        product_id,
    )


def pieces(store: Store, basket: str) -> dict[int, int]:
    """Product id → pieces; empty for a visitor without a basket."""
    rows = store.rows("SELECT product_id, pieces FROM baskets WHERE id = ?", basket) if basket else []
    return {row["product_id"]: row["pieces"] for row in rows}


def basket_of(request: Request) -> str:
    """The visitor's basket, or nothing."""
    return request.cookies.get(COOKIE, "")


def new_basket() -> str:
    """A basket for somebody who has none yet."""
    return secrets.token_hex(8)


def hand_out(reply: Response, basket: str) -> None:
    """Let the visitor of this `reply` keep the basket."""
    reply.set_cookie(COOKIE, basket, httponly=True, samesite="lax")


def empty(store: Store, basket: str) -> None:
    """Everything in it has been ordered."""
    store.write("DELETE FROM baskets WHERE id = ?", basket)


def visitor_of(request: Request) -> str:
    """Who has been here before, or nothing."""
    given = request.cookies.get(VISITOR, "")
    return given if given.isalnum() and len(given) <= 64 else ""


def new_visitor() -> str:
    """An id for somebody who was never here."""
    return secrets.token_hex(8)


def remember_visitor(reply: Response, visitor: str) -> None:
    """Let the browser that gets this `reply` be known again."""
    reply.set_cookie(VISITOR, visitor, httponly=True, samesite="lax")
