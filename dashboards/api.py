"""API: what the pages show, for programs: every page's twin under /api/v1, and any question as the body of a POST.

The same functions answer, so a program sees the p75 that a page shows. docs/api.yaml describes it; the gate asks for
`api_token`, or for somebody who is signed in.
"""

from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from collector.query.fields import FIELDS
from collector.query.measure import Measurement, measure
from collector.query.metrics import METRICS, check_aggregate, metric_of
from collector.query.question import PLAIN, BadQuestion, from_plain
from dashboards import explore, twins
from dashboards.numbers import iso
from dashboards.panels import PATIENT_S
from dashboards.site import HEADERS, Site

MAX_BODY_BYTES = 64 << 10
MOST_SLICES, MOST_GROUPS = 400, 1_000


async def ask(site: Site, request: Request) -> Response:
    """`POST /api/v1/ask`: a question as rules and saved queries write it, and how finely it is to be answered."""
    try:
        asked = _read(await _body(request))
        slices, most = _count(asked, "slices", 0, MOST_SLICES), _count(asked, "most", 50, MOST_GROUPS)
        q = from_plain(asked, site.settings.apps, site.watermark())
        metric = metric_of(q.metric or "lcp")
        q = q.asking(metric=metric.name, aggregate=check_aggregate(metric.name, q.aggregate))
    except BadQuestion as error:
        return _problem(400, str(error))
    panels = await site.panels.ask({"measured": partial(measure, site.store, q, slices, max(1, most))}, PATIENT_S)
    answered = panels["measured"]
    if not answered.is_answered:
        return _problem(503, answered.problem)
    measured: Measurement = answered.value
    facts: dict[str, Any] = {
        "question": q.to_plain() | {"at": q.at},
        "since": iso(q.since),
        "until": iso(q.until),
        "is_exact": measured.is_exact,
        "more": measured.more,
        **explore.facts(q, metric),
    }
    return Response(twins.as_json(facts, explore.tables(panels)), 200, HEADERS, "application/json")


async def vocabulary(site: Site, request: Request) -> Response:
    """`GET /api/v1/vocabulary`: what can be asked."""
    facts = {
        "apps": list(site.settings.apps),
        "question": list(PLAIN),
    }
    tables: twins.Tables = {
        "metrics": [
            {"name": metric.name, "title": metric.title, "unit": metric.unit, "aggregates": list(metric.aggregates)}
            for metric in METRICS.values()
        ],
        "fields": [{"name": field.name, "kind": field.kind} for field in FIELDS.values()],
    }
    return Response(twins.as_json(facts, tables), 200, HEADERS, "application/json")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadQuestion(f"a question has at most {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadQuestion(f"this is no JSON: {error}") from None
    if not isinstance(asked, dict):
        raise BadQuestion(f"a question is an object with {', '.join(PLAIN)}")
    return asked


def _count(asked: dict[str, Any], name: str, otherwise: int, most: int) -> int:
    value = asked.pop(name, otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadQuestion(f"{name} is {value!r}; it is a whole number up to {most}")
    return value


def _problem(status: int, problem: str) -> Response:
    headers = HEADERS | ({"retry-after": "5"} if status == 503 else {})
    return Response(msgspec.json.encode({"problem": problem}), status, headers, "application/json")
