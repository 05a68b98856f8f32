"""Where there is no page, and where one broke: said in the same design, with what to do next; to programs as JSON."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import dashboards
from collector.settings import Settings
from dashboards.site import Site
from tests.conftest import Running, send
from tests.pages.conftest import APPS, Seeded

LOST = ["/nope", "/views", "/views/a/b", "/<script>alert(1)</script>"]


@pytest.mark.parametrize("path", LOST)
def test_a_page_that_is_not_there_says_where_to_go(shared_collector: Running, path: str) -> None:
    reply = send(shared_collector.url + path.replace("<", "%3C").replace(">", "%3E"))
    html = reply.body.decode()
    assert reply.status == 404
    assert "<title>No such page · Farside</title>" in html
    assert '<nav aria-label="Pages">' in html
    assert 'action="/search"' in html
    assert "<script>alert" not in html
    assert "script-src 'self'" in reply.headers["content-security-policy"]


def test_programs_get_data_not_pages(shared_collector: Running) -> None:
    for path, headers in (("/api/v1/nope", {}), ("/nope.json", {}), ("/nope", {"accept": "application/json"})):
        reply = send(shared_collector.url + path, **headers)
        assert (reply.status, reply.body) == (404, b'{"problem":"not found"}')


def test_a_wrong_method_is_told(shared_collector: Running) -> None:
    reply = send(shared_collector.url + "/rules/save")
    assert reply.status in {404, 405}
    assert b"</html>" in reply.body


def test_a_page_that_breaks_says_so_and_nothing_of_its_insides(day: Seeded) -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError("the secret is 42")

    site = Site(day.store, Settings(apps=APPS, data=Path("/nowhere")), lambda: day.question.until, lambda: None)
    app = Starlette(routes=[Route("/broken", broken)])
    app.exception_handlers |= dashboards.lost(site)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def look() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
            return await client.get("/broken")

    reply = asyncio.run(look())
    assert reply.status_code == 500
    assert "Something broke in Farside" in reply.text
    assert "secret" not in reply.text
