"""Beacon: bytes from a page → typed things, or `Refused`.

`decode()` is the only way to get a `Beacon`; what it returns fits the columns it will land in. A bad event is refused by
itself and its neighbours live; a bad envelope refuses the beacon. docs/wire.md is the specification, field names are
columns' names. Nothing is looked up here and nothing is enriched.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from collector.outcomes import Outcome, Refused

MAX_EVENTS = 500
EARLIEST_MS, LATEST_MS = (
    0,
    4_102_444_800_000,
)  # 1970 … 2100: what a DateTime64 column can hold, with room for clock error

Hex32OrNone = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
Hex16OrNone = Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?\Z")]
# Of an envelope, whose ids are matched all at once: here the patterns are for those who read the schema.
Id32 = Annotated[str, Meta(min_length=32, max_length=32, extra_json_schema={"pattern": r"^[0-9a-f]{32}\Z"})]
Id32OrNone = Annotated[str, Meta(max_length=32, extra_json_schema={"pattern": r"^([0-9a-f]{32})?\Z"})]
Id16OrNone = Annotated[str, Meta(max_length=16, extra_json_schema={"pattern": r"^([0-9a-f]{16})?\Z"})]
UInt16 = Annotated[int, Meta(ge=0, le=65_535)]
UInt32 = Annotated[int, Meta(ge=0, le=4_294_967_295)]
Int32 = Annotated[int, Meta(ge=-2_147_483_648, le=2_147_483_647)]
Bytes = Annotated[int, Meta(ge=0, le=2**53)]
Finite = Annotated[float, Meta(ge=-1.7976931348623157e308, le=1.7976931348623157e308)]
Duration = Annotated[float, Meta(ge=0, le=86_400_000)]
Phase = Annotated[float, Meta(ge=-86_400_000, le=86_400_000)]
Clock = Annotated[float, Meta(ge=EARLIEST_MS, le=LATEST_MS)]
Text16 = Annotated[str, Meta(max_length=16)]
Text32 = Annotated[str, Meta(max_length=32)]
Text64 = Annotated[str, Meta(max_length=64)]
Text128 = Annotated[str, Meta(max_length=128)]
Text256 = Annotated[str, Meta(max_length=256)]
Text1024 = Annotated[str, Meta(max_length=1_024)]
Url = Annotated[str, Meta(max_length=2_048)]
Attributes = Annotated[dict[Text64, Text1024], Meta(max_length=32)]
Flags = Annotated[dict[Text64, tuple[Text1024, Literal["live", "cached", "default"]]], Meta(max_length=64)]
Dropped = Annotated[dict[Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")], UInt32], Meta(max_length=32)]

EventType = Literal["view", "vital", "fetch", "feed", "resource", "error", "longframe", "action", "mark"]
VITALS = frozenset({"LCP", "INP", "CLS", "FCP", "TTFB"})
NAMED = frozenset({"mark", "action"})


class Event(Struct, omit_defaults=True, kw_only=True, gc=False):
    """One event as it came, and as it will be written: the same object passes through enrichment into the spool.

    Fields stand in the order the snippet writes them in, in which they are found soonest.
    """

    type: EventType
    at: float = 0.0
    name: Text256 = ""
    value: Finite | None = None
    target: Text256 = ""
    url: Url = ""
    initiator: Text32 = ""
    cause: Text32 = ""
    failure: Text32 = ""
    trace_id: Hex32OrNone = ""
    span_id: Hex16OrNone = ""
    trace_source: Text32 = ""
    server_span_id: Hex16OrNone = ""
    parent_span_id: Hex16OrNone = ""
    batch: UInt32 | None = None
    burst: UInt32 | None = None
    duplicates: UInt32 | None = None
    distance_px: Int32 | None = None
    depth_px: UInt32 | None = None
    duration_ms: Duration | None = None
    status_code: UInt16 | None = None
    items: UInt32 | None = None
    stall_ms: Duration | None = None
    abandoned: bool | None = None
    phases: Annotated[dict[Text32, Phase], Meta(max_length=32)] = {}
    bytes: Bytes | None = None
    count: UInt32 | None = None
    error_type: Text128 = ""
    message: Text1024 = ""
    stack: Annotated[str, Meta(max_length=16_384)] = ""
    crumbs: Annotated[list[Text256], Meta(max_length=20)] = []  # becomes `breadcrumbs`, is not kept itself
    breadcrumbs: Annotated[str, Meta(max_length=8_192)] = ""
    attributes: Attributes = {}

    # Set by enrich, whatever a client sent under these names.
    clamped: bool = False
    endpoint: str = ""
    fingerprint: str = ""


class Envelope(Struct, kw_only=True, gc=False):
    """What is true of every event of the beacon. That its ids are hexadecimal is looked at for all of them at once."""

    v: int
    key: Text64
    beacon_id: Id32
    seq: UInt32 = 0
    session_id: Id32
    view_id: Id32
    view_started_at: Clock
    url: Url
    route: Text256 = ""
    navigation: Literal["", "navigate", "reload", "back-forward", "prerender", "restore", "soft"] = ""
    visibility: Literal["", "visible", "hidden", "mixed"] = ""
    trace_id: Id32OrNone = ""
    span_id: Id16OrNone = ""
    release: Text128 = ""
    environment: Text128 = ""
    viewport_width: UInt16 = 0
    viewport_height: UInt16 = 0
    connection: Text16 = ""
    device_memory: Annotated[float, Meta(ge=0, le=1_024)] | None = None
    save_data: bool = False
    user_id: Text128 = ""
    snippet: Text32 = ""
    config: Text32 = ""
    deferred: bool = False
    sample_n: UInt16 = 1
    attributes: Attributes = {}
    flags: Flags = {}
    dropped: Dropped = {}
    sent_at: Clock


class Beacon(Envelope, kw_only=True, gc=False):
    """A decoded beacon: its events fit their columns.

    `refused` counts those that did not, by outcome, and `reason` says of the first of them what was wrong with it.
    """

    events: list[Event]
    refused: dict[Outcome, int] = {}
    reason: str = ""


class _Rough(Envelope, kw_only=True):
    events: list[Raw]


class _Head(Struct):
    v: int | UnsetType = UNSET
    key: str | UnsetType = UNSET


_whole = msgspec.json.Decoder(Beacon)
_rough = msgspec.json.Decoder(_Rough)
_event = msgspec.json.Decoder(Event)
_head = msgspec.json.Decoder(_Head)
_any = msgspec.json.Decoder()

_DIGITS = {"beacon_id": 32, "session_id": 32, "view_id": 32, "trace_id": 32, "span_id": 16}
_IDS = re.compile(r"[0-9a-f]{96} (?:[0-9a-f]{32})? (?:[0-9a-f]{16})?")

# JSON may spell half of a surrogate pair, which is no character; JavaScript strings can hold one.
_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def decode(body: bytes) -> Beacon:
    """Bytes of one POST → a beacon with at least one event or something `dropped`; raises `Refused`."""
    try:
        beacon = _whole.decode(body)
        beacon.refused, beacon.reason = {}, ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        beacon = _decode_piecemeal(body)
    if beacon.v != 1:
        raise Refused(Outcome.BAD_VERSION, f"v is {beacon.v}")
    _look_at_ids(beacon)
    _refuse_incomplete(beacon)
    if len(beacon.events) > MAX_EVENTS:
        _count(beacon, Outcome.EVENT_OVER_LIMIT, len(beacon.events) - MAX_EVENTS, f"more than {MAX_EVENTS}")
        del beacon.events[MAX_EVENTS:]
    return beacon


def key_of(body: bytes) -> str:
    """The write key of a body that may be refused for something else, empty when it cannot be read."""
    try:
        key = _head.decode(body).key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return key if isinstance(key, str) else ""


def _decode_piecemeal(body: bytes) -> Beacon:
    """The slow way, taken only when something is wrong: find out what, and keep the rest."""
    body = _LONE_SURROGATE.sub(lambda m: m[0] if m[2] else m[1] + rb"\ufffd", body)
    try:
        head = _head.decode(body)
    except msgspec.ValidationError as error:
        raise Refused(Outcome.BAD_BEACON, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Outcome.BAD_JSON, str(error)) from None
    if head.v not in (1, UNSET):
        raise Refused(Outcome.BAD_VERSION, f"v is {head.v}")
    try:
        rough = _rough.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Outcome.BAD_BEACON, str(error)) from None
    fields = {name: getattr(rough, name) for name in Envelope.__struct_fields__}
    beacon = Beacon(**fields, events=[])
    for raw in rough.events:
        try:
            beacon.events.append(_event.decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _count(beacon, _why(raw), reason=str(error))
    return beacon


def _why(raw: Raw) -> Outcome:
    try:
        thing: Any = _any.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Outcome.EVENT_INVALID
    kind = thing.get("type") if isinstance(thing, dict) else None
    known = EventType.__args__  # type: ignore[attr-defined]
    return Outcome.EVENT_UNKNOWN_TYPE if isinstance(kind, str) and kind not in known else Outcome.EVENT_INVALID


def _look_at_ids(beacon: Envelope) -> None:
    """One look at five ids takes a third of the time of a look at each, which is for saying what is wrong."""
    if _IDS.fullmatch(f"{beacon.beacon_id}{beacon.session_id}{beacon.view_id} {beacon.trace_id} {beacon.span_id}"):
        return
    for name, digits in _DIGITS.items():
        found = getattr(beacon, name)
        if found and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", found):
            raise Refused(Outcome.BAD_BEACON, f"`{name}` is not {digits} lower-case hexadecimal digits")


def _refuse_incomplete(beacon: Beacon) -> None:
    lacking: list[Event] = []
    for event in beacon.events:
        if event.type == "vital":
            is_complete = event.name in VITALS and event.value is not None and event.value >= 0
        elif event.type == "fetch":
            is_complete = bool(event.url)
        else:
            is_complete = bool(event.name) or event.type not in NAMED
        if not is_complete:
            lacking.append(event)
    if lacking:
        reason = f"{lacking[0].type} without what it is about, see docs/wire.md"
        _count(beacon, Outcome.EVENT_INVALID, len(lacking), reason)
        refused = set(map(id, lacking))
        beacon.events = [event for event in beacon.events if id(event) not in refused]


def _count(beacon: Beacon, outcome: Outcome, n: int = 1, reason: str = "") -> None:
    beacon.reason = beacon.reason or f"{outcome}: {reason}"
    beacon.refused[outcome] = beacon.refused.get(outcome, 0) + n
