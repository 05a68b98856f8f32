"""The control page: plants one trouble at a time, and mends it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from collector.demo.troubles import NAMES, TROUBLES


async def page(request: Request) -> Response:
    """What can go wrong, what does, and where to look."""
    templates: Jinja2Templates = request.app.state.templates
    around = request.app.state.around
    return templates.TemplateResponse(
        request,
        "control.html",
        {"troubles": TROUBLES, "features": {}, "person": {"id": "", "name": ""}, "farside": around.snippet},
        headers={"Cache-Control": "no-store"},
    )


async def plant(request: Request) -> Response:
    """Plant what the form names; nothing mends everything."""
    # Another page of this browser must not plant anything here.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "Only the control page plants troubles.")
    sent = (await request.body()).decode("latin-1")[:100]
    name = sent.removeprefix("trouble=")
    if name and name not in NAMES:
        raise HTTPException(400, f"There is no trouble {name!r}; there are {', '.join(NAMES)}.")
    request.app.state.around.troubles.plant(name)
    return RedirectResponse("/control", 303)


ROUTES = [Route("/control", page), Route("/control", plant, methods=["POST"])]
