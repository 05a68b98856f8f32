"""Rows: the rows of a waterfall as HTML, put together here rather than in a template: a page has five hundred, and a
template took most of the page's time for them.

Whatever a page or a backend named goes through `text`, which escapes it and shows what would hide; nothing else does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote_plus

from markupsafe import Markup

from collector.query.question import Question
from collector.query.vitals import FEWEST
from collector.traces.tree import Node
from collector.traces.waterfall import Waterfall
from dashboards import charts
from dashboards.numbers import count, ms, percent, visible
from dashboards.tracing import FOLD_WINDOW, Line, Sheet

ASSORTED = {"resource": "assets", "feed": "feed loads", "longframe": "long frames"}
SLOW, SLOW_FROM_N = 0.99, 400
DEEPEST = 24  # the last level the stylesheet indents


@dataclass(frozen=True, slots=True)
class _Links:
    """Where rows lead to, as far as all of them lead there; `page` and `trace` go on with one parameter more."""

    question: Question
    page: str
    trace: str
    unfolded: str


def waterfall_rows(
    sheet: Sheet, question: Question, path: str, kept: Mapping[str, str], trace_path: str = ""
) -> Markup:
    """All rows of a sheet. `kept` is what the address says of how to draw, `trace_path` where permalinks lead."""
    links = _Links(
        question,
        text(question.link(path, **{name: value for name, value in kept.items() if name != "window"})),
        text(question.link(trace_path, **kept)) if trace_path else "",
        text(question.link(path, **{**kept, "fold": "off"})),
    )
    return Markup("".join(_row(line, sheet.picture, links) for line in sheet.lines))  # noqa: S704  see `text`


def text(value: object) -> str:
    """Anything, as it may stand in HTML or in an attribute."""
    return escape(str(visible(str(value))))


def _row(line: Line, picture: Waterfall, links: _Links) -> str:
    row = line.row
    is_open = line.is_target or any(below.is_target for below in line.inner)
    inside = _within(line, picture, links) if row.members else _more(line, links)
    return (
        f"{_item(line)}\n<details{' open' if is_open else ''}><summary>{_name(line)}{_lane(line, picture)}"
        f'<span class="took">{_took(line)}</span></summary>\n{inside}</details></li>\n'
    )


def _item(line: Line) -> str:
    row = line.row
    kinds = [f"d{min(row.depth, DEEPEST)}"]
    kinds += [
        kind
        for kind, is_one in (
            ("branch", row.node.children and not row.members), ("fold", row.members), ("critical", line.is_critical)
        )
        if is_one
    ]  # fmt: skip
    anchor = f' id="{text(line.anchor)}"' if line.anchor else ""
    focus = ' tabindex="0" autofocus' if line.is_target else ""
    expanded = "false" if row.members else "true"
    return (
        f'<li role="treeitem" aria-level="{row.depth + 1}" aria-expanded="{expanded}" class="{" ".join(kinds)}"'
        f"{anchor}{focus}>"
    )


def _name(line: Line) -> str:
    row, span = line.row, line.row.node.span
    times = f'<b class="times">{count(len(row.members))} ×</b> ' if row.members else ""
    operation = (ASSORTED.get(span.event_type) if row.members else None) or text(span.name or "(no name)")
    marks = ""
    if span.status == "Error":
        marks += ' <span class="rated poor"><span aria-hidden="true">▲</span> error</span>'
    if line.rank and line.rank.n >= SLOW_FROM_N and line.rank.shorter >= SLOW and not row.members:
        title = f"longer than {percent(line.rank.shorter)} of {count(line.rank.n)} like it in a day"
        marks += f' <span class="slow" title="{title}">slow for it</span>'
    if row.node.note:
        marks += f' <span class="lost" title="{text(row.node.note)}">parent missing</span>'
    return (
        f'<span class="name"><i class="twist" aria-hidden="true"></i><i class="swatch {line.colour}" aria-hidden="true"></i>'
        f'{times}<span class="service">{text(span.service)}</span> <span class="op">{operation}</span>{marks}</span>'
    )


def _lane(line: Line, picture: Waterfall) -> str:
    row = line.row
    bars = charts.bars(row, picture)
    if row.node.span.event_type == "view" and picture.phases:
        drawn = "".join(_rect("s-view", bar, 7, 10) for bar in bars)
        for nr, step in enumerate(charts.steps(picture)):
            kind = f"step-{text(step.name)}{'' if nr % 2 else ' odd'}"
            drawn += _rect(kind, step, 7, 10, f"><title>{text(step.label)}</title></rect>")
    else:
        y, height = (9, 6) if row.members else (7, 10)
        drawn = "".join(_rect(line.colour, bar, y, height, ' rx="1"/>') for bar in bars)
    if line.is_critical and not row.members:
        drawn += _rect("waited", bars[0], 19, 2)
    return f'<svg class="lane" aria-hidden="true"><use href="#grid"/>{drawn}</svg>'


def _rect(kind: str, bar: charts.Segment, y: int, height: int, end: str = "/>") -> str:
    return f'<rect class="{kind}" x="{bar.x}%" y="{y}" width="{bar.width}%" height="{height}"{end}'


def _took(line: Line) -> str:
    row = line.row
    return f"p50 {ms(row.p50_ms)}<small>p95 {ms(row.p95_ms)}</small>" if row.members else ms(row.node.duration_ms)


def _within(line: Line, picture: Waterfall, links: _Links) -> str:
    """What a fold opens to: how long its members took, and the first of them."""
    row, more = line.row, ""
    if len(line.inner) >= FOLD_WINDOW:
        more = f' The first {len(line.inner)} rows; <a href="{links.unfolded}">all of them unfolded</a>.'
    return (
        f'<p class="note">{count(len(row.members))} alike, {ms(row.total_ms)} in all, p50 {ms(row.p50_ms)},'
        f" p95 {ms(row.p95_ms)}.{more}</p>\n"
        f'<ol role="group">{"".join(_row(below, picture, links) for below in line.inner)}</ol>'
    )


def _more(line: Line, links: _Links) -> str:
    """What a row opens to; of a brief one the way there, which a script goes when the row is opened."""
    node = line.row.node
    if line.is_brief and links.trace:
        return f'<div class="more"><p><a data-whole href="{_permalink(line, links)}">What this span carries</a></p></div>\n'
    notes = f'<p class="note">{text(node.note)}</p>' if node.note else ""
    if node.span.status_message:
        notes += f'<p class="note bad">{text(node.span.status_message)}</p>'
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _facts(line, node, links))
    phases = _phases(line.event.phases) if line.event and line.event.phases else ""
    carried = ""
    if line.details:
        carried = _carried(line, links)
    elif line.event:
        carried = f'<p><a href="#event-{text(line.event.event_id)}">What the browser reported</a></p>'
    return f'<div class="more">{notes}<dl class="facts">{facts}</dl>{phases}{carried}</div>\n'


def _facts(line: Line, node: Node, links: _Links) -> Iterable[tuple[str, str]]:
    """Pairs of a name and HTML."""
    span = node.span
    host = f" on {text(span.host)}" if span.host and span.host != span.service else ""
    said = f' <span class="none">(its clock said {ms(node.start_ms + node.shift_ms)})</span>' if node.shift_ms else ""
    yield "service", f"{text(span.service)}{host}"
    yield "starts at", f"{ms(node.start_ms)}{said}"
    yield "takes", ms(node.duration_ms)
    yield "kind", text(span.kind) + (f" · {text(span.status)}" if span.status not in {"", "Unset"} else "")
    yield "span id", f"<code>{text(span.span_id)}</code>"
    if node.duration_ms:
        window = f"{max(node.start_ms, 0):.3f}-{node.end_ms:.3f}"
        yield "look closer", f'<a href="{links.page}&amp;window={window}">only while this ran</a>'
    if line.rank and line.rank.n < FEWEST:
        yield "among its like", f'<span class="few">too few · n = {count(line.rank.n)}</span>'
    elif line.rank:
        yield "among its like", f"longer than <b>{percent(line.rank.shorter)}</b> of {count(line.rank.n)} in a day"
    if line.is_critical:
        yield "critical path", "the end was waited for it"
    if line.anchor and links.trace:
        yield "permalink", f'<a href="{_permalink(line, links)}">this span</a>'
    if span.trace_source:
        yield "trace known by", text(span.trace_source)


def _permalink(line: Line, links: _Links) -> str:
    return f"{links.trace}&amp;span={quote_plus(line.row.node.span.span_id)}#{text(line.anchor)}"


def _phases(phases: Mapping[str, float]) -> str:
    return _list("Phases", [(name.replace("_ms", "").replace("_", " "), ms(took)) for name, took in phases.items()])


def _carried(line: Line, links: _Links) -> str:
    """Attributes, events, links and the resource of a span."""
    assert line.details
    details, start_ns = line.details, line.row.node.span.start_ns
    found = _list("Attributes", _sorted(details.attributes))
    if details.events:
        items = "".join(f"<li>{_event(at - start_ns, name, pairs)}</li>" for at, name, pairs in details.events)
        found += f'<h4>Events</h4><ul class="plain">{items}</ul>'
    if details.links:
        items = "".join(f"<li>{_linked(links, trace, span_id)}</li>" for trace, span_id in details.links)
        found += f'<h4>Links</h4><ul class="plain">{items}</ul>'
    return found + _list("Resource", _sorted(details.resource))


def _event(after_ns: int, name: str, pairs: Mapping[str, str]) -> str:
    said = "".join(f'<span class="pair-of">{text(key)} = {text(value)}</span> ' for key, value in _sorted(pairs))
    return f"{ms(after_ns / 1e6)} · {text(name)} {said}"


def _linked(links: _Links, trace: str, span_id: str) -> str:
    at = text(links.question.link(f"/traces/{trace}", span=span_id))
    return f'<a href="{at}#span-{text(span_id)}">span {text(span_id)} of trace {text(trace[:8])}</a>'


def _sorted(pairs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """By name, capitals or not."""
    return sorted(pairs.items(), key=lambda pair: pair[0].lower())


def _list(title: str, pairs: Sequence[tuple[str, object]]) -> str:
    if not pairs:
        return ""
    # A long name may break behind a dot, rather than within a word.
    names = [(text(name).replace(".", ".<wbr>"), text(value)) for name, value in pairs]
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in names)
    return f'<h4>{title}</h4><dl class="facts">{facts}</dl>'
