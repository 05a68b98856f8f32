"""Tree: every span of a trace on its parent, or on the best place known, with the reason said.

Whatever was sent comes out: parents that never came, ids used twice and spans that are each other's parents are
counted and shown, never dropped, and no input makes this loop or recurse.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from collector.query.trace import Pair, Span

# The browser did not wait for the end, or never heard of it.
CUT = {"abort", "timeout", "network", "offline"}


@dataclass(slots=True, eq=False)
class Node:
    """One span in its place. Times are in milliseconds from the tree's zero, by the browser's clock."""

    span: Span
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    start_ms: float = 0.0
    shift_ms: float = 0.0
    note: str = ""

    @property
    def duration_ms(self) -> float:
        """How long it took; clocks do not matter to that."""
        return self.span.duration_ns / 1e6

    @property
    def end_ms(self) -> float:
        """When it ended."""
        return self.start_ms + self.duration_ms

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(slots=True)
class Tree:
    """The roots, and what was not as it should be."""

    roots: list[Node] = field(default_factory=list)
    missing: int = 0  # spans whose parent was never received
    repeated: int = 0  # spans with an id that was there already
    looped: int = 0  # spans that are their own ancestors
    _order: list[Node] = field(default_factory=list)

    def nodes(self) -> list[Node]:
        """All of them, parents first, as they are linked once and for all."""
        if not self._order:
            self._order = [node for root in self.roots for node in root.walk()]
        return self._order

    def pairs(self) -> Iterator[Pair]:
        """Each browser span that caused a server span, with that span; guesses are not among them."""
        for node in self.nodes():
            if node.span.is_browser and node.span.trace_source != "cached":
                for child in node.children:
                    if not child.span.is_browser and child.span.parent_id in {node.span.span_id, ""}:
                        yield pair_of(node.span, child.span)


def pair_of(client: Span, server: Span) -> Pair:
    """A request and the span of who answered it."""
    return Pair(
        server.host, client.start_ns, client.end_ns, server.start_ns, server.end_ns, client.event_type == "view",
        client.failure in CUT,
    )  # fmt: skip


def grow(spans: Iterable[Span]) -> Tree:
    """Hang spans up. A browser's spans come first, its view at the root, and each request's server span within it."""
    tree = Tree()
    nodes: dict[str, Node] = {}
    extra: list[Node] = []
    for span in spans:
        known = nodes.get(span.span_id)
        if known is None:
            nodes[span.span_id] = Node(span)
            continue
        tree.repeated += 1
        if known.span.is_browser and span.is_browser:
            if span.duration_ns > known.span.duration_ns:  # a view that was still loading when it was first told of
                known.span = span
        else:
            extra.append(Node(span, note="another span has the same id"))
    everyone = [*nodes.values(), *extra]
    named = {
        node.span.server_span_id: node
        for node in everyone
        if node.span.server_span_id and node.span.trace_source not in {"cached", "foreign"}
    }
    views = [node for node in everyone if node.span.event_type == "view"]
    for node in everyone:
        node.parent = nodes.get(node.span.parent_id) or _adopt(tree, node, named, views)
    _link(tree, everyone)
    return tree


def _adopt(tree: Tree, node: Node, named: dict[str, Node], views: list[Node]) -> Node | None:
    """A place for a span without a parent: the browser span that names it or its parent, or the view it must be of."""
    span = node.span
    lost = bool(span.parent_id)
    tree.missing += lost
    if span.event_type == "view":
        return None
    by = named.get(span.span_id) or named.get(span.parent_id)
    if by is not None and by is not node:
        if lost and span.parent_id == by.span.server_span_id:
            node.note = f"its parent {span.parent_id} was not received; the reply to this request named it"
        elif lost:
            node.note = f"its parent {span.parent_id} was not received; the browser's request names this span"
        return by
    if not lost:
        return None
    if span.is_browser:
        own = [view for view in views if view.span.view_id == span.view_id]
        node.note = f"its parent {span.parent_id} was not received"
        return own[0] if own else None
    node.note = f"its parent {span.parent_id} was not received; shown beneath the view"
    return views[0] if len(views) == 1 else None


def _link(tree: Tree, everyone: list[Node]) -> None:
    """Children under parents, by time; what cannot be reached from a root is in a loop, which is cut at its earliest."""
    everyone.sort(key=lambda node: (node.span.start_ns, -node.span.duration_ns))
    for node in everyone:
        if node.parent:
            node.parent.children.append(node)
    tree.roots = [node for node in everyone if node.parent is None]
    reached = {id(node) for root in tree.roots for node in root.walk()}
    for node in everyone:
        if id(node) in reached:
            continue
        tree.looped += 1
        node.note = "its ancestors lead back to itself"
        if node.parent:
            node.parent.children.remove(node)
        node.parent = None
        tree.roots.append(node)
        reached.update(map(id, node.walk()))
    tree.roots.sort(key=lambda node: (node.span.event_type != "view", not node.span.is_browser, node.span.start_ns))
