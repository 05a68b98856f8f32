"""Fields: what a question can be narrowed and grouped by, under the names they have in URLs and rules.

A field is a column of `events`, or something computed from columns of the same row. `attr.KEY`, `flag.KEY` and
`phase.KEY` reach into the maps; keys are bound by the engine like every other value. Fields that are not
`is_of_view` belong to single events, those with `types` only to events of these; asked together with a metric of views or
of other events they mean views in which such an event happened.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAPS = {"attr": "attributes", "flag": "flags", "flag_source": "flag_sources", "phase": "phases"}
LONGEST_KEY = 64

Bind = Callable[[object, str], str]


class BadQuestion(Exception):  # noqa: N818
    """The question asks for something that does not exist; the sentence names it and what there is instead."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its SQL, whether it is a `text`, a `number` or a `vital` (of a whole view), and where it stands."""

    name: str
    sql: str
    kind: str = "text"
    types: tuple[str, ...] = ()
    is_of_view: bool = True
    key: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it can be compared with < and >."""
        return self.kind != "text"

    def expression(self, bind: Bind) -> str:
        """The SQL of its value in a row of `events`; for a vital, its value in a row that reports one."""
        if not self.key:
            return self.sql
        key = bind(self.key, "String")
        if self.kind == "number":  # a map's missing key reads as 0, and an unmeasured phase is not 0 ms long
            return f"if(mapContains({self.sql}, {key}), {self.sql}[{key}], NULL)"
        return f"{self.sql}[{key}]"


def _of_views(kind: str, *names: str) -> list[Field]:
    return [Field(name, f"events.{name}", kind) for name in names]


def _of_events(kind: str, *names: str, types: tuple[str, ...] = ()) -> list[Field]:
    return [Field(name, f"events.{name}", kind, types, is_of_view=False) for name in names]


_WIDTH = (
    "multiIf(events.viewport_width = 0, '', events.viewport_width < 480, 'under 480', events.viewport_width < 768,"
    " '480–767', events.viewport_width < 1280, '768–1279', events.viewport_width < 1920, '1280–1919', '1920 and more')"
)
_HEIGHT = (
    "if(events.viewport_height = 0, '', concat(toString(intDiv(events.viewport_height, 200) * 200), '–',"
    " toString(intDiv(events.viewport_height, 200) * 200 + 199)))"
)
_STATUS = (
    "if(ifNull(events.status_code, 0) = 0, '', concat(toString(intDiv(assumeNotNull(events.status_code), 100)), 'xx'))"
)

FIELDS = {
    field.name: field
    for field in (
        *_of_views("text", "route", "release", "environment", "browser", "os", "device", "country", "connection"),
        Field("user", "events.user_id"),
        Field("session", "events.session_id"),
        *_of_views("text", "team", "path", "origin", "navigation", "browser_version", "os_version", "snippet"),
        Field("viewport", _WIDTH),
        Field("height", _HEIGHT),
        *_of_views("text", "view_id"),
        *_of_events("text", "type", "name", "endpoint", "url", "target"),
        Field("trace", "events.trace_id", is_of_view=False),
        Field("status", _STATUS, types=("view", "fetch", "feed", "resource"), is_of_view=False),
        *_of_events("text", "failure", "initiator", types=("fetch", "feed", "resource", "mark")),
        *_of_events("text", "cause", types=("fetch", "feed", "vital", "longframe")),
        *_of_events("text", "error_type", "message", "fingerprint", types=("error",)),
        *_of_events("text", "event_id", "visibility", "clock", "trace_source"),
        Field("hour", "formatDateTime(events.received_at, '%H')", is_of_view=False),
        *(Field(name.lower(), name, "vital") for name in ("LCP", "INP", "CLS", "FCP", "TTFB")),
        *_of_views(
            "number", "viewport_width", "viewport_height", "device_memory", "save_data", "bot_score", "sample_n"
        ),
        *_of_events("number", "duration_ms", "value", "at_ms", "seq", "count", "clock_offset_ms"),
        *_of_events("number", "status_code", "bytes", types=("view", "fetch", "feed", "resource")),
        *_of_events("number", "batch", "burst", "duplicates", "items", "stall_ms", "distance_px", types=("feed",)),
        *_of_events("number", "depth_px", "abandoned", types=("feed",)),
    )
}


def field_of(name: str) -> Field:
    """The field of this name; raises `BadQuestion`, naming what there is."""
    if known := FIELDS.get(name):
        return known
    kind, dot, key = name.partition(".")
    if dot and kind in MAPS:
        if not 0 < len(key) <= LONGEST_KEY:
            raise BadQuestion(f"{name[:80]!r} needs a name of 1 to {LONGEST_KEY} characters behind the point")
        is_phase = kind == "phase"
        return Field(name, f"events.{MAPS[kind]}", "number" if is_phase else "text", (), not is_phase, key)
    raise BadQuestion(f"there is no field {name!r}; there are {', '.join(FIELDS)}, attr.NAME, flag.NAME and phase.NAME")


def is_field(name: str) -> bool:
    """Whether a URL's parameter of this name narrows a question."""
    return name in FIELDS or (name.partition(".")[0] in MAPS and "." in name)


def ordered(names: Iterable[str]) -> list[str]:
    """Names in one order for everybody: Farside's own as they are listed, then the page's by name."""
    places = {name: nr for nr, name in enumerate(FIELDS)}
    return sorted(set(names), key=lambda name: (places.get(name, len(places)), name))
