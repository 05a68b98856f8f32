"""Trace: one trace from the browser into the backend, as a waterfall."""

from functools import partial

from starlette.requests import Request

from collector.query.question import BadQuestion, Question
from collector.query.trace import Span, TraceView, session_traces, trace_pairs, trace_spans, trace_views
from collector.query.view import EventShape, event_shapes
from collector.traces.waterfall import Waterfall
from dashboards.panels import beside
from dashboards.site import Page, Site, is_for_programs
from dashboards.tracing import WINDOW, Drawing, LastLarge, Likes, Sheet, facts_of, rows_of, sheet

LARGE = LastLarge()
MOST_ROWS = 999_999


async def page(site: Site, request: Request) -> Page:
    """The page at `/traces/{id}` and its twins."""
    q, drawing = site.question(request), Drawing.of(request)
    first, window = _number(request, "row", None, MOST_ROWS), _number(request, "rows", WINDOW, WINDOW) or WINDOW
    trace_id, target = request.path_params["trace_id"], request.query_params.get("span", "")
    path = f"/traces/{trace_id}"
    panels = await site.ask(request, {"trace": partial(_read, site, q, trace_id, first, window, drawing, target)})
    title = f"trace {trace_id[:8]}"
    if panels["trace"].is_answered and panels["trace"].value is None:
        return Page(
            "missing.html", title, q, path, panels, {"spans": []}, context={"what": "trace", "id": trace_id}, status=404
        )
    own, views, events = panels["trace"].value or (None, [], [])
    if views and views[0].app != q.app and views[0].app in site.settings.apps:
        q = q.about(views[0].app)
    facts = {"trace_id": trace_id, "views": [view.view_id for view in views]}
    return Page(
        "trace.html", title, q, path, panels,
        {"spans": rows_of(own.picture) if own and is_for_programs(request.url.path) else []},
        facts | (facts_of(own.picture) if own else {}),
        {
            "sheet": own, "views": views, "trace_id": trace_id, "view": events[0] if events else None, "window": window,
            "kept": drawing.kept,
        },
    )  # fmt: skip


def _number(request: Request, name: str, otherwise: int | None, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= most):
        raise BadQuestion(f"{name}={text!r} is not a whole number up to {most:,}")
    return int(text)


def _read(
    site: Site, question: Question, trace_id: str, first: int | None, window: int, drawing: Drawing, target: str
) -> tuple[Sheet, list[TraceView], list[EventShape]] | None:
    key = (id(site), question.app, question.at, trace_id, drawing)
    picture, (views, events, likes) = LARGE.get(key, lambda: _drawn(site, question, trace_id, drawing))
    if not picture.spans:
        return None
    if first is None:  # from the row that is asked for, or the first
        row = picture.row_of(target) if target else None
        first = (row or 0) // window * window
    return sheet(site.store, question, trace_id, picture, events, likes, first, window, target), views, events


def _drawn(
    site: Site, question: Question, trace_id: str, drawing: Drawing
) -> tuple[Waterfall, tuple[list[TraceView], list[EventShape], Likes]]:
    def read_spans() -> tuple[list[Span], Likes]:
        spans = trace_spans(site.store, question, trace_id)
        return spans, Likes(site.store, question, spans)

    reading = beside(read_spans)
    views = trace_views(site.store, question, trace_id)
    own = [view for view in views if view.is_own] or views
    # Pairs take longest and need the session's traces, so these are asked for before anything else competes.
    traces = session_traces(site.store, question, own[0].session_id, own[0].began_ms) if own else []
    pairing = beside(partial(trace_pairs, site.store, question, traces))
    events = event_shapes(site.store, question, own[0].view_id) if own else []
    spans, likes = reading.result()
    return drawing.draw(spans, events, pairing.result()), (views, events, likes)
