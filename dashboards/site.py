"""Site: what all pages share: the store they ask, the templates and files they are made of, the headers they carry.

A page is rendered in a thread, because the doors for beacons run on the same loop and must not wait for it.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
import jinja2
from starlette.requests import Request
from starlette.responses import Response

from collector.caller import caller_of
from collector.query.fields import field_of
from collector.query.question import FILTERS, RANGES, Question, parse
from collector.query.vitals import FEWEST, LIMITS
from collector.settings import Settings
from collector.sourcemaps import Maps
from collector.store import Store
from collector.watch import Watch
from dashboards import charts, numbers, twins
from dashboards.panels import BUDGET_S, PATIENT_S, Panel, Panels
from dashboards.rows import waterfall_rows

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
# What the head of every page leads to; a page enters when its reader's task passes.
NAVIGATION = (
    ("Overview", "/"),
    ("Now", "/now"),
    ("Routes", "/routes"),
    ("Feeds", "/feeds"),
    ("Errors", "/errors"),
    ("Alerts", "/alerts"),
    ("Releases", "/releases"),
    ("Flags", "/flags"),
    ("Compare", "/compare"),
    ("Explore", "/explore"),
    ("Traces", "/traces"),
    ("Map", "/map"),
    ("Resources", "/resources"),
    ("Pipeline", "/pipeline"),
    ("Setup", "/setup"),
)
# What their feet lead to.
MORE = (("Rules", "/rules"), ("Saved questions", "/saved"), ("Audit", "/audit"))
# The letter that follows g on the way to a page.
GO = {
    "/": "o", "/now": "n", "/routes": "r", "/feeds": "f", "/errors": "e", "/releases": "l", "/flags": "b", "/compare": "c",
    "/explore": "x", "/traces": "t", "/map": "m", "/resources": "s", "/pipeline": "p", "/alerts": "a", "/rules": "d",
    "/audit": "h", "/setup": "u", "/saved": "q",
}  # fmt: skip
API = "/api/v1/"
SQUEEZED_FROM = 1_000  # bytes
STATIC_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer before it has a form: a template's context, and the rows its twins give."""

    template: str
    title: str
    question: Question
    path: str
    panels: Mapping[str, Panel]
    tables: twins.Tables
    facts: twins.Row = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


class Site:
    """The parts every page is made of."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        watermark: Callable[[], datetime],
        away_since: Callable[[], datetime | None],
        paths: frozenset[str] = frozenset(),
    ) -> None:
        self.store = store
        self.settings = settings
        self.watermark = watermark
        self.away_since = away_since
        self.watch: Watch | None = None
        self.panels = Panels()
        self.maps = Maps(store)
        self.files = _static_files()
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("dashboards"),
            autoescape=True,
            finalize=numbers.visible,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= numbers.FILTERS
        self._templates.globals |= {
            "asset": self.asset, "charts": charts, "twin": twin, "LIMITS": LIMITS,
            "RANGES": list(RANGES), "longer": longer, "FILTERS": FILTERS,
            "RANGE_WORDS": numbers.RANGE_WORDS, "MARKS": numbers.MARKS, "RATINGS": numbers.RATINGS, "FEWEST": FEWEST,
            "waterfall_rows": waterfall_rows,
            "caller_of": caller_of, "apps": settings.apps, "NAVIGATION": NAVIGATION, "MORE": MORE,
            "PATHS": paths, "GO": GO,
        }  # fmt: skip

    def asset(self, name: str) -> str:
        """The address of a static file, which changes with its content and so may be kept for ever."""
        return f"/static/{self.files[name][0]}/{name}"

    def question(self, request: Request, leave_out: str = "") -> Question:
        """What this request asks, but for the parameter to leave out; raises `BadQuestion`."""
        given = [pair for pair in request.query_params.multi_items() if pair[0] != leave_out]
        asked = dict(given)
        if by := asked.get("by"):  # the filter form: no script turns it into a parameter
            field_of(by)
            given = [pair for pair in given if pair[0] not in {"by", "value"}]
            given.append((by, asked.get("value", "").strip()))
        return parse(given, self.settings.apps, self.watermark())

    async def ask(self, request: Request, questions: dict[str, Callable[[], Any]]) -> dict[str, Panel]:
        """Ask a page's questions; `?wait=1` has the patience that a late panel offers."""
        return await self.panels.ask(questions, PATIENT_S if request.query_params.get("wait") else BUDGET_S)

    async def respond(self, request: Request, page: Page) -> Response:
        """A page in the form its address asks for: HTML, or with `.json` or `.csv` at its end its twin."""
        return await anyio.to_thread.run_sync(lambda: _squeezed(request, self._respond(request, page)))

    def _respond(self, request: Request, page: Page) -> Response:
        is_away = bool(page.panels) and not any(panel.is_answered for panel in page.panels.values())
        late = {name: panel.problem for name, panel in page.panels.items() if not panel.is_answered}
        status = 503 if is_away else page.status
        headers = HEADERS | ({"retry-after": "5"} if is_away else {})
        form = request.url.path.rsplit(".", 1)[-1]
        if form == "json" or request.url.path.startswith(API):
            body = twins.as_json(self._facts(page) | ({"problems": late} if late else {}), page.tables)
            return Response(body, status, headers, "application/json")
        if form == "csv":
            return self._csv(request, page, status, headers)
        html = self.render(page.template, page=page, request=request, is_away=is_away, **page.context)
        return Response(html, status, headers, "text/html; charset=utf-8")

    def _csv(self, request: Request, page: Page, status: int, headers: dict[str, str]) -> Response:
        table = request.query_params.get("table", "")
        if table and table not in page.tables:
            message = f"there is no table {table!r} here; there are {', '.join(page.tables)}\n"
            return Response(message, 404, headers, "text/plain; charset=utf-8")
        body = twins.as_csv(page.tables[table]) if table else twins.as_long_csv(page.tables)
        return Response(body, status, headers, "text/csv; charset=utf-8")

    def render(self, template: str, page: Page | None = None, **context: Any) -> str:
        """A template as HTML."""
        return self._templates.get_template(template).render(
            page=page, q=page.question if page else None, now=datetime.now(UTC), panels=page.panels if page else {},
            away_since=self.panels.away_since, loads_nothing_since=self.away_since(), **context,
        )  # fmt: skip

    @staticmethod
    def _facts(page: Page) -> dict[str, Any]:
        q = page.question
        return {
            "app": q.app, "range": q.range, "since": numbers.iso(q.since), "until": numbers.iso(q.until), "at": q.at,
            "is_live": q.is_live, "where": q.filters, **page.facts,
        }  # fmt: skip


def _squeezed(request: Request, response: Response) -> Response:
    """Gzipped in the page's own thread: Starlette's middleware would do it on the loop, where beacons wait."""
    body = bytes(response.body)
    if len(body) >= SQUEEZED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(body, 5, mtime=0)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
        response.headers.add_vary_header("accept-encoding")
    return response


def longer(question: Question) -> list[str]:
    """The ranges on offer that look further back than this question."""
    return [name for name, length in RANGES.items() if length > question.span]


def is_for_programs(path: str) -> bool:
    """Whether an address is answered with data rather than a page."""
    return path.startswith(API) or path.endswith((".json", ".csv"))


def twin(page: Page, form: str, **extra: str) -> str:
    """The address of a page's twin, pinned to the same watermark."""
    path = "/overview" if page.path == "/" else page.path
    link = page.question.link(f"{path}.{form}")
    return f"{link}&{urlencode(extra)}" if extra else link


def _static_files() -> dict[str, tuple[str, bytes, str]]:
    """Name → (hash of the content, content, type)."""
    folder = resources.files("dashboards") / "static"
    found = {}
    for file in folder.iterdir():
        kind = STATIC_TYPES.get(file.name.rsplit(".", 1)[-1])
        if kind:
            content = file.read_bytes()
            found[file.name] = (hashlib.sha256(content).hexdigest()[:12], content, kind)
    return found
