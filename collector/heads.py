"""Heads: what the loader reads of a spooled line to count it, without decoding the rest."""

from typing import cast

import msgspec

from collector.outcomes import Outcome


class _Outcome(msgspec.Struct):
    app: str
    outcome: str  # a word of `Outcome`, or what the snippet called it
    n: int


class _Head(msgspec.Struct):
    app: str = ""
    events: list[msgspec.Raw] = []
    spans: list[msgspec.Raw] = []
    outcomes: list[_Outcome] = []


def app_and(line: bytes, outcome: Outcome) -> tuple[str, Outcome]:
    """Where the ledger counts what became of a line."""
    return msgspec.json.decode(line, type=_Head).app, outcome


def events_in(line: bytes) -> int:
    """How many events and spans a line holds."""
    head = msgspec.json.decode(line, type=_Head)
    return len(head.events) + len(head.spans)


def refused_in(line: bytes) -> dict[tuple[str, Outcome], int]:
    """What the door refused of a beacon. What the snippet dropped itself is left out: it says so of the beacon, however
    often that is sent."""
    found = msgspec.json.decode(line, type=_Head).outcomes
    return {
        (own.app, cast(Outcome, own.outcome)): own.n for own in found if not own.outcome.startswith("client_")
    }  # fmt: skip
