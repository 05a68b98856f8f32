"""Refusing: how a change that was not made is told: to a person as a page with the sentence and the form as it was filled
in, to a program that asks for JSON as JSON.

What draws the page is the application's own; without one, as behind no pages, everybody gets JSON.
"""

from collections.abc import Sequence

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collector.caller import FORM_FIELD, form_of
from collector.gate import NO_STORE, POLICY, local

# What a form carries of itself, and nobody fills in.
CARRIED = {"next", "rule", "group", "on", "query", "id", "fired_at", "app", "do", "kind"}


def wants_json(request: Request) -> bool:
    """Whether a program asks."""
    accepted = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or ("application/json" in accepted and "text/html" not in accepted)


async def told(request: Request, problems: Sequence[str], status: int, *, retry_after_s: int = 0) -> Response:
    """The answer to a write that was refused, in the form its sender can read."""
    headers = NO_STORE | ({"retry-after": str(retry_after_s)} if retry_after_s else {})
    render = getattr(request.app.state, "render", None)
    if render is None or wants_json(request):
        problem = problems[0] if len(problems) == 1 else list(problems)
        return JSONResponse({"problem": problem}, status, headers)
    form = await form_of(request)
    form.pop(FORM_FIELD, None)
    context = {
        "problems": problems,
        "status": status,
        "filled": {name: value for name, value in form.items() if name not in CARRIED},
        "carried": {name: value for name, value in form.items() if name in CARRIED},
        "back": local(form.get("next") or form.get("on") or "/"),
        "request": request,
    }
    html = await anyio.to_thread.run_sync(lambda: render("unsaved.html", **context))
    return Response(html, status, headers | POLICY, "text/html; charset=utf-8")
