"""Mapping: reads a source map, in a process of its own that may be killed; whoever uploaded the map may be an enemy.

    python -m collector.mapping check < MAP             →  {"sources": 2, "mappings": 180}
    python -m collector.mapping look  < PLACES, MAP     →  [{"source": "src/cart.js", "line": 4, …} | null, …]

PLACES is one line of JSON, [[line, column], …] as stacks count them, from 1. What is wrong with a map is said on stderr in
one sentence, with exit code 1. The process limits its own memory and processor time before it reads a byte.
"""

import json
import os
import resource
import sys
from typing import Any

from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapView

MAX_BYTES = 48 << 20
MAX_MAPPINGS = 4_000_000
MAX_SOURCES = 50_000
MEMORY_BYTES = 2 << 30
CPU_S = 20
CONTEXT_LINES = 3
LONGEST_LINE = 300


class BadMap(Exception):  # noqa: N818
    """Not a source map, or more than is read here; the sentence says which."""


def read(text: bytes) -> SourceMapView:
    """A map within its caps; raises `BadMap`."""
    if len(text) > MAX_BYTES:
        raise BadMap(f"it has {len(text):,} bytes, and at most {MAX_BYTES:,} are read")
    # Every mapping ends in one of these, so this is at least as many as there are; it costs nothing to count first.
    if (most := text.count(b",") + text.count(b";")) > MAX_MAPPINGS and _mappings(text) > MAX_MAPPINGS:
        raise BadMap(f"it has about {most:,} mappings, and at most {MAX_MAPPINGS:,} are read")
    try:
        view = SourceMapView.from_json_bytes(text)
        sources, tokens = view.source_count, len(view)
    except (SymbolicError, ValueError) as error:
        raise BadMap(f"it cannot be read: {str(error)[:200]}") from None
    if sources > MAX_SOURCES or tokens > MAX_MAPPINGS:
        raise BadMap(f"it has {sources:,} sources and {tokens:,} mappings, and fewer are read")
    if not tokens:
        raise BadMap("it maps nothing")
    return view


def _mappings(text: bytes) -> int:
    """How many mappings there are, when commas alone do not tell: sources may be full of them."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMap("it is not JSON, or nested too deeply") from None
    parts = [found, *(part.get("map", {}) for part in found.get("sections", []))] if isinstance(found, dict) else []
    mappings = [part.get("mappings", "") for part in parts if isinstance(part, dict)]
    return sum(text.count(",") + text.count(";") for text in mappings if isinstance(text, str))


def look(view: SourceMapView, places: list[tuple[int, int]]) -> list[dict[str, Any] | None]:
    """Where each place came from: source, line, column, the name it had, and the lines around it."""
    return [_look(view, line, column) for line, column in places]


def _look(view: SourceMapView, line: int, column: int) -> dict[str, Any] | None:
    token = view.lookup(line - 1, max(0, column - 1)) if line > 0 else None
    if token is None or token.src_id is None or not token.src:
        return None
    return {
        "source": token.src[:500],
        "line": token.src_line + 1,
        "column": token.src_col + 1,
        "name": (token.name or "")[:200],
        "context": _context(view, token.src_id, token.src_line),
    }


def _context(view: SourceMapView, source: int, line: int) -> list[tuple[int, str]]:
    source_view = view.get_sourceview(source)
    if source_view is None:
        return []
    first, last = max(0, line - CONTEXT_LINES), min(len(source_view), line + CONTEXT_LINES + 1)
    return [(nr + 1, source_view[nr][:LONGEST_LINE]) for nr in range(first, last)]


def main() -> int:
    """The process: one question, one answer."""
    os.nice(10)  # acknowledgements are promised, maps are not
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    try:
        places = json.loads(sys.stdin.buffer.readline()) if sys.argv[1] == "look" else []
        view = read(sys.stdin.buffer.read(MAX_BYTES + 1))
        answer: Any = look(view, places) if places else {"sources": view.source_count, "mappings": len(view)}
    except BadMap as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError:
        print("it needs more memory than it is given", file=sys.stderr)
        return 1
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
