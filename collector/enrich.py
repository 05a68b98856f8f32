"""Enrich: a decoded beacon → the line that is spooled, through a tuple of pure steps and without I/O.

`put_*` adds what the collector knows; `drop_*` may end the story with an outcome. The order of STEPS is the order of
processing. The client's IP address comes in with the arrival and goes out with it: no step writes it down.
"""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import user_agents
from msgspec import Struct

from collector.beacon import Beacon, Event
from collector.outcomes import Outcome
from collector.settings import App

CLOCK_TOLERANCE_MS = 60_000
EARLIEST_AT_MS, LATEST_AT_MS = -3_600_000.0, 86_400_000.0


class Arrival(NamedTuple):
    """What the door saw of the request; `received_at` in ms since 1970."""

    app: App
    received_at: int
    user_agent: str


class Line(Struct, omit_defaults=True, kw_only=True):
    """One spooled line of a beacon: a row of table `lines`. The first two fields are the loader's fixed prefix."""

    line_id: str
    received_at: int
    app: str
    team: str = ""
    seq: int = 0
    sent_at: int = 0
    clock_offset_ms: int = 0
    clock: str = ""
    view_started_at: float = 0.0
    base_at: float = 0.0
    session_id: str = ""
    view_id: str = ""
    user_id: str = ""
    route: str = ""
    url: str = ""
    origin: str = ""
    navigation: str = ""
    trace_id: str = ""
    view_span_id: str = ""
    release: str = ""
    environment: str = ""
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""
    bot_score: int = 0
    country: str = ""
    viewport_width: int = 0
    viewport_height: int = 0
    connection: str = ""
    device_memory: float | None = None
    save_data: bool = False
    visibility: str = ""
    sample_n: int = 0
    snippet: str = ""
    attributes: dict[str, str] = {}
    flags: dict[str, str] = {}
    flag_sources: dict[str, str] = {}
    events: list[Event] = []
    outcomes: list[dict[str, str | int]] = []


_COPIED = tuple(
    name
    for name in Line.__struct_fields__
    if name in Beacon.__struct_fields__ and name not in {"url", "sent_at", "flags"}
)


def put_beacon(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """What the page said, under the names it said it in."""
    for name in _COPIED:
        setattr(line, name, getattr(beacon, name))
    line.sent_at = int(beacon.sent_at)
    line.view_span_id = beacon.span_id
    line.flags = {name: value for name, (value, _) in beacon.flags.items()}
    line.flag_sources = {name: source for name, (_, source) in beacon.flags.items()}


def put_app(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Whose page this is."""
    line.app, line.team = arrival.app.name, arrival.app.team


def put_clock(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """How far the client's clock is behind ours, at most, and times corrected when it is plainly wrong.

    received − sent is the clock's error plus the way here. Up to a minute of it may be a slow way, and the client is
    believed; beyond that it is the clock, and the beacon's times are shifted as a whole.
    """
    line.base_at = beacon.view_started_at
    if beacon.deferred:
        line.clock = "deferred"
        return
    line.clock_offset_ms = arrival.received_at - line.sent_at
    if abs(line.clock_offset_ms) > CLOCK_TOLERANCE_MS:
        line.base_at += line.clock_offset_ms
        line.clock = "shifted"


def put_times(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Clamp times that no view can have, and say so on the event."""
    for event in beacon.events:
        event.clamped = not EARLIEST_AT_MS <= event.at <= LATEST_AT_MS
        if event.clamped:
            event.at = min(max(event.at, EARLIEST_AT_MS), LATEST_AT_MS)
    line.base_at = min(max(line.base_at, 0.0), 4_102_444_800_000.0)


class Agent(NamedTuple):
    """What a User-Agent header says."""

    browser: str
    browser_version: str
    os: str
    os_version: str
    device: str
    is_bot: bool


@lru_cache(maxsize=4_096)
def agent_of(header: str) -> Agent:
    """Parse a User-Agent header; milliseconds the first time, hence the bounded cache."""
    parsed = user_agents.parse(header[:512])
    if parsed.is_bot:
        device = "bot"
    elif parsed.is_tablet:
        device = "tablet"
    elif parsed.is_mobile:
        device = "mobile"
    else:
        device = "desktop" if parsed.is_pc else "other"
    return Agent(
        browser=parsed.browser.family,
        browser_version=str(parsed.browser.version[0]) if parsed.browser.version else "",
        os=parsed.os.family,
        os_version=parsed.os.version_string,
        device=device,
        is_bot=parsed.is_bot or "headless" in header.lower(),
    )


def put_user_agent(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Browser, system and kind of device, from the header."""
    agent = agent_of(arrival.user_agent)
    line.browser, line.browser_version = agent.browser, agent.browser_version
    line.os, line.os_version, line.device = agent.os, agent.os_version, agent.device


def put_bot_score(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """0 for a person, 100 for what calls itself a robot or drives a headless browser; kept, never dropped for it."""
    line.bot_score = 100 if agent_of(arrival.user_agent).is_bot else 0


class Address(NamedTuple):
    """A URL without what may be private: no query, no fragment, no user."""

    origin: str
    path: str


@lru_cache(maxsize=16_384)
def address_of(url: str) -> Address:
    """Split a URL and forget its query, fragment and credentials; a path alone has no origin."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # such as http://[::1
        return Address("", url.split("?")[0].split("#")[0])
    origin = f"{parts.scheme}://{host}{f':{port}' if port else ''}" if host else ""
    return Address(origin, parts.path or "/")


_VARIABLE_PART = re.compile(
    r"\d+"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?=[^/]*\d)[0-9a-fA-F]{8,}"
    r"|(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}"
)


@lru_cache(maxsize=16_384)
def route_of(path: str) -> str:
    """A path with its variable parts named: numbers, UUIDs, hashes and long random parts become `:id`."""
    return "/".join(":id" if _VARIABLE_PART.fullmatch(part) else part for part in path.split("/"))[:256]


def put_address(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """The view's origin and path, and its route unless the page named it."""
    line.origin, line.url = address_of(beacon.url)
    line.route = beacon.route or route_of(line.url)


def put_endpoints(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """For every event with an address: the address without its private parts, and its templated path."""
    for event in beacon.events:
        if not event.url:
            event.endpoint = ""
            continue
        origin, path = address_of(event.url)
        if origin == line.origin:
            origin = ""
        event.url = origin + path
        event.endpoint = origin + route_of(path)


_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|\d+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
# V8 writes `at add (https://x/app.js:1:2)` or `at https://x/app.js:1:2`, the others `add@https://x/app.js:1:2`.
_FRAMES = (
    re.compile(r"^\s*at (?:async )?(?:(.*) \()?(.*?):\d+(?::\d+)?\)?$", re.MULTILINE),
    re.compile(r"^(.*?)@(.*?):\d+(?::\d+)?$", re.MULTILINE),
)
_HASHED_FILE = re.compile(r"[.-][0-9A-Za-z_]{6,}(?=\.m?js\b)")


def fingerprint_of(event: Event) -> str:
    """The group an error belongs to: type, message without its variable parts, and the functions it came through.

    No line, no column and no hash in a file's name, so that a rebuild does not make every error new.
    """
    message = _NUMBER.sub("0", _QUOTED.sub("'…'", event.message))[:200]
    frames = []
    for function, file in (_FRAMES[0].findall(event.stack) or _FRAMES[1].findall(event.stack))[:5]:
        name = _HASHED_FILE.sub("", address_of(file).path.rsplit("/", 1)[-1])
        frames.append(f"{function.strip()}@{name}")
    text = "\n".join([event.error_type, message, *frames] if frames else [event.error_type, message, event.endpoint])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def put_fingerprints(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Which group each error belongs to."""
    for event in beacon.events:
        event.fingerprint = fingerprint_of(event) if event.type == "error" else ""


def put_outcomes(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Events of this beacon that were refused, here or already in the page: they reach the ledger with their neighbours."""
    minute = arrival.received_at // 60_000 * 60
    counted = [(str(outcome), n) for outcome, n in beacon.refused.items()]
    counted += [(f"client_{reason}", n) for reason, n in beacon.dropped.items() if n]
    line.outcomes = [{"app": line.app, "minute": minute, "outcome": outcome, "n": n} for outcome, n in counted]


Step = Callable[[Line, Beacon, Arrival], Outcome | None]

STEPS: tuple[Step, ...] = (
    put_beacon,
    put_app,
    put_clock,
    put_times,
    put_user_agent,
    put_bot_score,
    put_address,
    put_endpoints,
    put_fingerprints,
    put_outcomes,
)


def enrich(beacon: Beacon, arrival: Arrival) -> Line | Outcome:
    """Run a beacon through STEPS: the line to spool, or the outcome that ended its story."""
    line = Line(line_id=beacon.beacon_id, received_at=arrival.received_at, app=arrival.app.name)
    for step in STEPS:
        outcome = step(line, beacon, arrival)
        if outcome:
            return outcome
    return line
