"""Waterfall: a trace as rows to read: in one time, alike siblings folded, each service's own time added up."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from collector.query.trace import SPANS, Pair, Span
from collector.query.view import EventShape
from collector.traces.clock import Offset, offsets
from collector.traces.critical import critical_path
from collector.traces.tree import Node, Tree, grow
from collector.traces.weave import Mark, Phase, marks, phases, view_zero, weave

FOLD_BEYOND = 5
BESIDE = {"resource", "longframe"}
# OpenTelemetry's ASGI instrumentation makes a span of every message between framework and server: half of all rows, and
# microseconds long.
MESSAGES = (" http send", " http receive", " websocket send", " websocket receive")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a node, or (`members`) a fold of siblings alike, with `p50_ms` and `p95_ms` over them."""

    node: Node
    depth: int
    members: tuple[Node, ...] = ()
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    total_ms: float = 0.0
    end_ms: float = 0.0


@dataclass(slots=True)
class Waterfall:
    """All there is to draw: what lies in the `length_ms` from `start_ms` on, out of `whole_ms`; `load_ms` is when the
    page had loaded, 0 if it is not known to have."""

    tree: Tree
    rows: list[Row]
    start_ms: float
    length_ms: float
    whole_ms: float
    load_ms: float
    offsets: list[Offset]
    shares: list[tuple[str, float]]
    spans: int
    undrawn: int
    is_cut: bool
    phases: list[Phase] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    critical: set[int] = field(default_factory=set)

    def is_critical(self, row: Row) -> bool:
        """Whether an end was waited for this row, or for one within it."""
        return any(id(node) in self.critical for node in row.members or (row.node,))

    def row_of(self, span_id: str) -> int | None:
        """The number of the row that shows a span, one within a fold too."""
        for nr, row in enumerate(self.rows):
            if any(node.span.span_id == span_id for node in row.members or (row.node,)):
                return nr
        return None

    @property
    def contradictions(self) -> list[Offset]:
        """Hosts whose clock no single offset explains."""
        return [offset for offset in self.offsets if offset.is_contradictory]


def draw(
    spans: Sequence[Span],
    events: Sequence[EventShape] = (),
    *,
    raw: bool = False,
    fold: bool = True,
    window: tuple[float, float] | None = None,
    pairs: Sequence[Pair] = (),
) -> Waterfall:
    """A trace's spans, and the events of the view it belongs to, as rows; `pairs` are requests of the whole session.

    `raw` leaves every clock as it was, `fold` puts siblings that are alike together and leaves messages out, `window`
    (from, to in milliseconds) keeps what runs within it.
    """
    tree = grow(weave(spans, events))
    at_ns = next((node.span.start_ns for node in tree.nodes() if node.span.is_browser), None)
    hosts = {span.host for span in spans if not span.is_browser}
    found = offsets(dict.fromkeys([*tree.pairs(), *(pair for pair in pairs if pair.host in hosts)]), at_ns)
    if not found and events and any(not span.is_browser for span in spans):
        travel = float(events[0].clock_offset_ms)
        host = next(span.host for span in spans if not span.is_browser)
        found = {host: Offset(host, travel, travel, 0, travel, source="beacon")} if travel else {}
    zero = view_zero(spans, events) if events else None
    origin = _place(tree, {} if raw else {host: offset.ms for host, offset in found.items()}, zero)
    rows = list(_rows(tree, fold))
    moments, steps = marks(events), phases(events)
    if origin:  # something began before the view did
        moments = [replace(mark, at_ms=mark.at_ms + origin) for mark in moments]
        steps = [replace(step, start_ms=step.start_ms + origin, end_ms=step.end_ms + origin) for step in steps]
    whole = max([node.end_ms for node in tree.nodes()] + [mark.at_ms for mark in moments], default=0.0) or 1.0
    start, end = _within(window, whole)
    return Waterfall(
        tree=tree,
        rows=rows if window is None else [row for row in rows if row.end_ms >= start and row.node.start_ms <= end],
        start_ms=start,
        length_ms=end - start,
        whole_ms=whole,
        load_ms=_loaded(tree, moments),
        offsets=sorted(found.values(), key=lambda offset: offset.host),
        shares=shares(tree, steps),
        spans=len(tree.nodes()),
        undrawn=sum(map(is_message, tree.nodes())) if fold else 0,
        is_cut=len(spans) >= SPANS,
        phases=steps,
        marks=moments,
        critical=critical_path(tree),
    )


def _within(window: tuple[float, float] | None, whole_ms: float) -> tuple[float, float]:
    """The window cut to what there is, and wide enough to show something."""
    if window is None:
        return 0.0, whole_ms
    start = min(max(0.0, window[0]), whole_ms)
    return start, max(start + 1e-3, min(window[1], whole_ms))


def _loaded(tree: Tree, moments: Sequence[Mark]) -> float:
    """When the page had loaded and shown its largest part."""
    loaded = [node.end_ms for node in tree.roots if node.span.event_type == "view" and node.duration_ms]
    return max(loaded + [mark.at_ms for mark in moments if mark.name == "LCP"]) if loaded else 0.0


def _place(tree: Tree, shifts: dict[str, float], zero_ns: int | None) -> float:
    """Give every node its time; a host that is not known to differ goes by the clock of its caller.

    Returns how long before the view's origin the first span began.
    """
    default = next(iter(shifts.values()), 0.0)
    for node in tree.nodes():
        if not node.span.is_browser:
            above = node.parent
            inherited = above.shift_ms if above and not above.span.is_browser else default
            node.shift_ms = shifts.get(node.span.host, inherited)
    # In nanoseconds first: a float has no room for them next to the years since 1970.
    starts = [(node, node.span.start_ns - round(node.shift_ms * 1e6)) for node in tree.nodes()]
    first = min((start for _, start in starts), default=0)
    first = min(first, zero_ns) if zero_ns is not None else first
    for node, start in starts:
        node.start_ms = (start - first) / 1e6
    return (zero_ns - first) / 1e6 if zero_ns is not None else 0.0


def _rows(tree: Tree, fold: bool) -> Iterator[Row]:
    waiting = [(node, 0) for node in reversed(tree.roots)]
    folded: dict[int, tuple[Node, ...]] = {}
    while waiting:
        node, depth = waiting.pop()
        if id(node) in folded:
            yield _folded(node, depth, folded[id(node)])
            continue
        yield Row(node, depth, end_ms=node.end_ms)
        below = node.children
        if fold:
            below, folds = _fold([child for child in node.children if not is_message(child)])
            folded |= folds
        waiting.extend((child, depth + 1) for child in sorted(below, key=lambda n: n.start_ms, reverse=True))


def members_of(row: Row, limit: int) -> list[Row]:
    """The rows within a fold, its members with all below them, at most `limit`."""
    found: list[Row] = []
    for member in row.members:
        waiting = [(member, row.depth + 1)]
        while waiting:
            if len(found) >= limit:
                return found
            node, depth = waiting.pop()
            found.append(Row(node, depth, end_ms=node.end_ms))
            waiting.extend((child, depth + 1) for child in reversed(node.children))
    return found


def is_message(node: Node) -> bool:
    """Whether a span is no more than one message of ASGI: without a child, without an error, under the span it names."""
    span = node.span
    return (
        span.name.endswith(MESSAGES)
        and not node.children
        and span.status != "Error"
        and node.parent is not None
        and span.name.startswith(node.parent.span.name)
    )


def _fold(siblings: list[Node]) -> tuple[list[Node], dict[int, tuple[Node, ...]]]:
    """Siblings with those that are alike and many left to their first; and who stands for whom."""
    alike: dict[tuple[str, ...], list[Node]] = defaultdict(list)
    for node in siblings:
        alike[_kind(node)].append(node)
    kept: list[Node] = []
    folds: dict[int, tuple[Node, ...]] = {}
    for group in alike.values():
        if len(group) > FOLD_BEYOND:
            group.sort(key=lambda node: node.start_ms)
            kept.append(group[0])
            folds[id(group[0])] = tuple(group)
        else:
            kept += group
    return kept, folds


def _kind(node: Node) -> tuple[str, ...]:
    span = node.span
    return (span.service, span.event_type, "" if span.event_type in {"resource", "feed", "longframe"} else span.name)


def _folded(first: Node, depth: int, members: tuple[Node, ...]) -> Row:
    lengths = sorted(member.duration_ms for member in members)
    return Row(
        first, depth, members,
        p50_ms=lengths[len(lengths) // 2],
        p95_ms=lengths[min(len(lengths) - 1, len(lengths) * 95 // 100)],
        total_ms=sum(lengths),
        end_ms=max(member.end_ms for member in members),
    )  # fmt: skip


def shares(tree: Tree, steps: Sequence[Phase]) -> list[tuple[str, float]]:
    """Each service's own time in milliseconds, largest first: what its spans spent while none of their children ran.

    A request's own time is `network` when its server's span is known, `unseen` when it is not. A view's own time is
    `browser`, except while the document was under way. Assets and long frames run beside all that and are left out.
    """
    own: dict[str, float] = defaultdict(float)
    network = [(step.start_ms, step.end_ms) for step in steps if step.is_network]
    for node in tree.nodes():
        if node.span.event_type in BESIDE:
            continue
        covered = [(child.start_ms, child.end_ms) for child in node.children if child.span.event_type not in BESIDE]
        spent = _uncovered(node.start_ms, node.end_ms, covered)
        if node.span.event_type == "view" and network:
            in_script = _uncovered(node.start_ms, node.end_ms, covered + network)
            own["network"] += spent - in_script
            own["browser"] += in_script
        else:
            own[_owner(node)] += spent
    return sorted(((name, ms) for name, ms in own.items() if ms > 0), key=lambda share: -share[1])


def _owner(node: Node) -> str:
    span = node.span
    if not span.is_browser:
        return span.service
    if span.event_type == "fetch":
        return "network" if any(not child.span.is_browser for child in node.children) else "unseen"
    return "browser"


def _uncovered(start: float, end: float, covered: list[tuple[float, float]]) -> float:
    """How much of (start, end) lies outside of all these."""
    left, at = 0.0, start
    for low, high in sorted(covered):
        if low > at:
            left += min(low, end) - at
        at = max(at, high)
        if at >= end:
            return left
    return left + max(0.0, end - at)
