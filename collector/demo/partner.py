"""The partner: a third party whose badge stands on every page. It is the web front itself under its other name.

127.0.0.1 and localhost are two origins to a browser, which is all that makes a third party.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_AWAY_S = 3.0
_BADGE = """document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("[data-badge]")) place.textContent = "★ 4.8, says TrustedLooms";
});
"""


def address(request: Request) -> str:
    """The badge's URL, under the name by which this page was not asked for."""
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(request.url.hostname or "")
    return str(request.url.replace(hostname=other, path="/partner/badge.js", query="")) if other else ""


async def badge(request: Request) -> Response:
    """The script; with the trouble `partner-away`, an error after a long silence."""
    if request.app.state.around.troubles.is_on("partner-away"):
        await asyncio.sleep(_AWAY_S)
        return Response("the loom is broken\n", 503, media_type="text/plain")
    headers = {"Cache-Control": "public, max-age=60", "Timing-Allow-Origin": "*"}
    return Response(_BADGE, media_type="text/javascript", headers=headers)


ROUTES = [Route("/partner/badge.js", badge)]
