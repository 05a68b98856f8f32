"""Critical path: the spans that an end was waited for, walked back from the last child to finish.

At each span, the child that ended last was waited for; before it began, the child that had ended last by then; and so on.
What outlives its parent was not waited for.
"""

from collector.traces.tree import Tree

# Clocks are corrected to about a millisecond at best.
SLACK_MS = 1.0


def critical_path(tree: Tree) -> set[int]:
    """The ids (`id(node)`) of the nodes on the critical path of a trace's first root."""
    found: set[int] = set()
    if not tree.roots:
        return found
    root = tree.roots[0]
    end = root.end_ms if root.duration_ms else max(node.end_ms for node in root.walk())
    waiting = [(root, end)]
    while waiting:
        node, moment = waiting.pop()
        found.add(id(node))
        for child in sorted(node.children, key=lambda child: child.end_ms, reverse=True):
            if child.end_ms > moment + SLACK_MS or not child.duration_ms or child.span.event_type == "longframe":
                continue
            if moment <= node.start_ms:
                break
            waiting.append((child, child.end_ms))
            moment = child.start_ms
    return found
