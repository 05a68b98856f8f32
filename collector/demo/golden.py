"""Golden: beacons shaped like those the snippet sends, made of the ones it did send: `beacons/*.json`.

Those files are the wire contract: the snippet's tests must produce their like. A field or a kind of event that is not in
one of them cannot get into a beacon made here, except for the two that a page tells the snippet: who is there, and flags.
"""

import json
import secrets
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any

Event = dict[str, Any]
TOLD = {"user_id", "flags"}


@cache
def _sent() -> dict[str, dict[str, Any]]:
    folder = resources.files("collector.demo") / "beacons"
    return {file.name.removesuffix(".json"): json.loads(file.read_text()) for file in folder.iterdir()}


@cache
def _events(kind: str) -> list[Event]:
    """What the snippet sent of one kind, that with most to say first."""
    events = [event for beacon in _sent().values() for event in beacon["events"] if event["type"] == kind]
    return sorted(events, key=len, reverse=True)


def beacon(events: list[Event], **fields: Any) -> dict[str, Any]:
    """A page load's beacon with these events; `fields` replace what the golden one says."""
    shape = _sent()["view_load"]
    unknown = fields.keys() - shape.keys() - TOLD
    if unknown:
        raise KeyError(f"the snippet sends no {', '.join(sorted(unknown))}")
    return shape | {"beacon_id": secrets.token_hex(16)} | fields | {"events": events}


def event(kind: str, name: str, at: float, /, **fields: Any) -> Event:
    """An event of one kind; `fields` replace what the golden one says, None takes a field away."""
    sent = _events(kind)
    like = next((one for one in sent if one.get("name") == name), sent[0])
    unknown = fields.keys() - {field for one in sent for field in one}
    if unknown:
        raise KeyError(f"no {kind} of the snippet's has {', '.join(sorted(unknown))}")
    made = deepcopy(like) | {"at": round(at, 1)} | fields
    return {field: value for field, value in made.items() if value is not None}
