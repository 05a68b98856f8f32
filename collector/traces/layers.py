"""Layers: a service map as boxes in columns, callers left of whom they call, with as few crossings as a few sweeps find.

The same edges give the same picture. A circle of calls is laid out as if its last call were not there.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.query.services import Edge

ROOT = "browser"
BOX_WIDTH, BOX_HEIGHT = 178.0, 46.0
COLUMN, LINE = 262.0, 66.0
SWEEPS = 6


@dataclass(slots=True)
class Box:
    """One service, store or outsider: in which column, and its upper left corner."""

    name: str
    kind: str
    column: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def centre(self) -> float:
        """The height of its middle."""
        return self.y + BOX_HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """One edge as a path between two boxes, and where its middle is."""

    edge: Edge
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything to draw, and how large it is."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: float
    height: float


def lay_out(edges: Sequence[Edge]) -> Layout:
    """Boxes and arrows for these edges."""
    boxes = _boxes(edges)
    _put_columns(boxes, edges)
    columns = _ordered(boxes, edges)
    tallest = max((len(column) for column in columns), default=0)
    for nr, column in enumerate(columns):
        for place, box in enumerate(column):
            box.x = nr * COLUMN + 1
            box.y = (place + (tallest - len(column)) / 2) * LINE + 1
    arrows = [_arrow(edge, boxes[edge.source], boxes[edge.target]) for edge in edges if edge.source != edge.target]
    width = (len(columns) - 1) * COLUMN + BOX_WIDTH + 2 if columns else 0.0
    return Layout([box for column in columns for box in column], arrows, width, tallest * LINE - LINE + BOX_HEIGHT + 2)


def _boxes(edges: Iterable[Edge]) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for edge in edges:
        boxes.setdefault(edge.source, Box(edge.source, "service"))
        known = boxes.setdefault(edge.target, Box(edge.target, edge.kind))
        if known.kind == "dark" and edge.kind == "service":
            known.kind = "service"
    if ROOT in boxes:
        boxes[ROOT].kind = ROOT
    return boxes


def _put_columns(boxes: dict[str, Box], edges: Sequence[Edge]) -> None:
    """Each box right of all that call it, in the order in which a walk from the browser meets them; circles are cut."""
    called: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.source != edge.target:
            called[edge.source].append(edge.target)
    targets = {edge.target for edge in edges if edge.source != edge.target}
    starts = [name for name in boxes if name == ROOT] + [name for name in boxes if name not in targets and name != ROOT]
    order: list[str] = []
    forward: dict[str, list[str]] = defaultdict(list)
    state: dict[str, int] = {}
    for start in [*starts, *boxes]:
        waiting = [] if start in state else [(start, False)]
        while waiting:
            name, is_done = waiting.pop()
            if is_done:
                state[name] = 2
                order.append(name)
                continue
            if name in state:
                continue
            state[name] = 1
            waiting.append((name, True))
            for target in called[name]:
                if state.get(target) != 1:
                    forward[name].append(target)
                    waiting.append((target, False))
    for name in reversed(order):
        for target in forward[name]:
            if order.index(target) < order.index(name):
                boxes[target].column = max(boxes[target].column, boxes[name].column + 1)


def _ordered(boxes: dict[str, Box], edges: Sequence[Edge]) -> list[list[Box]]:
    """The columns, each in the order in which its boxes' neighbours lie."""
    columns: list[list[Box]] = [[] for _ in range(1 + max((box.column for box in boxes.values()), default=-1))]
    for box in boxes.values():
        columns[box.column].append(box)
    near: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    for sweep in range(SWEEPS):
        place = {box.name: nr - len(column) / 2 for column in columns for nr, box in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda box: _middle([place[name] for name in near[box.name]]))
            place |= {box.name: nr - len(column) / 2 for nr, box in enumerate(column)}
    return columns


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.0


def _arrow(edge: Edge, source: Box, target: Box) -> Arrow:
    """From the right side of the caller to the left of the called; a call backwards goes round below."""
    if target.x > source.x:
        x1, y1, x2, y2 = source.x + BOX_WIDTH, source.centre, target.x, target.centre
        bend = (x2 - x1) / 2
        path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        return Arrow(edge, path, (x1 + x2) / 2, (y1 + y2) / 2)
    x1, x2, low = source.x + BOX_WIDTH / 2, target.x + BOX_WIDTH / 2, max(source.y, target.y) + BOX_HEIGHT
    under = f"{x1:.1f} {low + 18:.1f} {x2:.1f} {low + 18:.1f}"
    path = f"M{x1:.1f} {source.y + BOX_HEIGHT:.1f}C{under} {x2:.1f} {target.y + BOX_HEIGHT:.1f}"
    return Arrow(edge, path, (x1 + x2) / 2, low + 14)
