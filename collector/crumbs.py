"""Crumbs: what the errors of a beacon say of what came before them → the breadcrumbs of each, whole.

A beacon says each breadcrumb once (docs/wire.md). Pure; a text that is not `<at> <kind> <text>` is left out.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from collector.beacon import Event

MOST = 20
REQUESTS = {"fetch", "xhr"}
_CRUMB = re.compile(r"(-?\d{1,12}) (\S{1,32}) (.*?)( ×\d+)?", re.DOTALL)


class _Crumb(NamedTuple):
    at: int
    kind: str
    text: str
    times: str


def put_together(errors: Sequence[Event]) -> None:
    """Every error that brings no breadcrumbs of its own has the last of all that were said until then."""
    trail: list[_Crumb] = []
    for error in errors:
        for crumb in filter(None, map(_read, error.crumbs)):
            # The same once more, since an earlier error told of it.
            if trail and trail[-1][1:3] == crumb[1:3]:
                trail.pop()
            trail.append(crumb)
        if trail and not error.breadcrumbs:
            told = [(at, kind, text + times) for at, kind, text, times in trail[-MOST:]]
            error.breadcrumbs = msgspec.json.encode(told).decode()
        error.crumbs = []


def _read(said: str) -> _Crumb | None:
    match = _CRUMB.fullmatch(said)
    if match is None:
        return None
    kind, text = match[2], match[3]
    if kind in REQUESTS:
        text = text.removesuffix(" 0")  # the browser did not tell its status: no failure, whose name would stand there
    return _Crumb(int(match[1]), kind, text, match[4] or "")
