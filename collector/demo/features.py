"""Features: which of them are on for a visitor, and from where one knows: live, from memory, or by default.

A page must not wait for the flag service, nor fail with it: it is asked briefly, its last answer is remembered for a
while, and after that pages fall back to what they were built with. The source travels with the page, and the snippet
reports it: otherwise nobody sees who ran on defaults.
"""

import time

from starlette.exceptions import HTTPException

from collector.demo.upstream import Upstream

DEFAULTS = {"gallery": False, "votes": False, "free-shipping": False}
_TIMEOUT_S = 0.25
_REMEMBERED_S = 20.0
_MOST = 2_000


class Features:
    """The flag service behind a memory."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._remembered: dict[str, tuple[float, dict[str, bool]]] = {}

    async def of(self, visitor: str) -> dict[str, tuple[bool, str]]:
        """Feature → (is it on, source): `live`, `cached` or `default`."""
        try:
            told = await self._upstream.ask("flags", "/flags", timeout_s=_TIMEOUT_S, visitor=visitor)
        except HTTPException:
            return self._without(visitor)
        if len(self._remembered) >= _MOST:
            self._remembered.clear()
        self._remembered[visitor] = time.monotonic(), told
        return {name: (bool(told.get(name, value)), "live") for name, value in DEFAULTS.items()}

    def _without(self, visitor: str) -> dict[str, tuple[bool, str]]:
        since, told = self._remembered.get(visitor, (0.0, {}))
        if told and time.monotonic() - since < _REMEMBERED_S:
            return {name: (bool(told.get(name, value)), "cached") for name, value in DEFAULTS.items()}
        return {name: (value, "default") for name, value in DEFAULTS.items()}
