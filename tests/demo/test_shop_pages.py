"""The shop's services answer: pages, API and pictures."""

import xml.etree.ElementTree as ElementTree

import httpx
import pytest


@pytest.mark.parametrize("path", ["/", "/products", "/products?category=plants", "/products/7", "/cart"])
def test_a_page_carries_the_paste_line_and_is_not_cached(shop: str, sink, path: str) -> None:
    reply = httpx.get(shop + path)
    assert reply.status_code == 200
    paste = f'<script src="{sink.url}/farside.js" data-key="demo" data-release="2.14.0" async></script>'
    assert paste in reply.text
    assert reply.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/products/9999", 404, "We looked everywhere"),
        ("/nowhere", 404, "We looked everywhere"),
        ("/images/9999", 404, '"message"'),
        ("/api/products?page=x", 400, "whole number"),
        ("/api/products?page=0", 400, "whole number"),
    ],
)
def test_what_is_not_there_is_said(shop: str, path: str, status: int, words: str) -> None:
    reply = httpx.get(shop + path)
    assert reply.status_code == status
    assert words in reply.text


def test_the_list_ends(shop: str) -> None:
    first = httpx.get(f"{shop}/api/products?page=1&category=desk").json()
    last = httpx.get(f"{shop}/api/products?page=4&category=desk").json()
    beyond = httpx.get(f"{shop}/api/products?page=5&category=desk").json()
    assert (len(first["items"]), first["next"]) == (12, 2)
    assert (len(last["items"]), last["next"]) == (12, None)
    assert beyond == {"items": [], "next": None}


def test_a_picture_is_an_svg_that_caches_may_keep(shop: str) -> None:
    reply = httpx.get(f"{shop}/images/7")
    assert reply.headers["content-type"] == "image/svg+xml"
    assert "max-age=31536000" in reply.headers["cache-control"]
    assert ElementTree.fromstring(reply.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert httpx.get(f"{shop}/images/7").content == reply.content


def test_a_basket_fills(shop: str) -> None:
    with httpx.Client(base_url=shop) as visitor:
        assert visitor.post("/api/cart", json={"id": 7}).json() == {"pieces": 1}
        reply = visitor.post("/api/cart", json={"id": 7})
        assert (reply.status_code, reply.json()) == (201, {"pieces": 2})
        name = visitor.get("/api/products/7").json()["name"]
        assert name in visitor.get("/cart").text


def test_what_fails_on_purpose(shop: str) -> None:
    assert httpx.post(f"{shop}/api/cart", json={"id": 25}).status_code == 409
    assert httpx.post(f"{shop}/api/cart", content="7").status_code == 400
    assert httpx.post(f"{shop}/api/gift-cards", json={"code": "x"}).status_code == 503
