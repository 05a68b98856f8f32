"""Enrich: a decoded beacon → the line that is spooled, through a tuple of pure steps and without I/O.

`put_*` adds what the collector knows; `drop_*` may end the story with an outcome. The order of STEPS is the order of
processing. The client's IP address comes in with the arrival and goes out with it: no step writes it down.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from collector.agents import Agent
from collector.beacon import EARLIEST_MS, LATEST_MS, Beacon, Event
from collector.budgets import Budgets
from collector.crumbs import put_together
from collector.fingerprint import fingerprint_of
from collector.outcomes import Outcome
from collector.routes import Routes
from collector.scrub import scrub, scrub_short
from collector.settings import App

CLOCK_TOLERANCE_MS = 60_000
_NUMBER = re.compile(r"\d+")
BUDGETED = ("release", "environment", "connection", "snippet", "origin")
EARLIEST_AT_MS, LATEST_AT_MS = -3_600_000.0, 86_400_000.0


class Memory:
    """What is remembered of one app from beacon to beacon: its routes, its endpoints, its budgets."""

    def __init__(self, routes: Routes | None = None) -> None:
        self.routes = routes or Routes()
        self.endpoints = Routes()
        self.budgets = Budgets()


class Arrival(NamedTuple):
    """What the door saw of the request; `received_at` in ms since 1970, `country` as ISO 3166 code or empty."""

    app: App
    received_at: int
    agent: Agent
    country: str
    memory: Memory


class Line(Struct, omit_defaults=True, gc=False):
    """One spooled line of a beacon: a row of table `lines`. The first two fields are the loader's fixed prefix."""

    line_id: str
    received_at: int
    app: str

    # What the page said, under the names it said it in.
    seq: int = 0
    view_started_at: float = 0.0
    session_id: str = ""
    view_id: str = ""
    user_id: str = ""
    route: str = ""
    navigation: str = ""
    trace_id: str = ""
    release: str = ""
    environment: str = ""
    viewport_width: int = 0
    viewport_height: int = 0
    connection: str = ""
    device_memory: float | None = None
    save_data: bool = False
    visibility: str = ""
    sample_n: int = 0
    snippet: str = ""
    attributes: dict[str, str] = {}
    events: list[Event] = []

    # What is made of it.
    team: str = ""
    sent_at: int = 0
    clock_offset_ms: int = 0
    clock: str = ""
    base_at: float = 0.0
    url: str = ""
    origin: str = ""
    view_span_id: str = ""
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""
    bot_score: int = 0
    country: str = ""
    flags: dict[str, str] = {}
    flag_sources: dict[str, str] = {}
    outcomes: list[dict[str, str | int]] = []


# One call each to read and to write what is only copied: a beacon has no time for forty assignments.
_FIRST_COPIED = Line.__struct_fields__.index("seq")
_said = attrgetter(*Line.__struct_fields__[_FIRST_COPIED : Line.__struct_fields__.index("team")])


def put_beacon(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """What the page said under other names."""
    line.sent_at = int(beacon.sent_at)
    line.view_span_id = beacon.span_id
    if beacon.flags:
        line.flags = {name: value for name, (value, _) in beacon.flags.items()}
        line.flag_sources = {name: source for name, (_, source) in beacon.flags.items()}


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
        line.base_at = min(max(line.base_at + line.clock_offset_ms, float(EARLIEST_MS)), float(LATEST_MS))
        line.clock = "shifted"


def put_agent(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Browser, system, kind of device, and how surely it is a robot: kept and scored, never dropped for it."""
    agent, admit = arrival.agent, arrival.memory.budgets.admit
    line.browser = admit("browser", agent.browser)
    line.browser_version = admit("browser_version", agent.browser_version)
    line.os = admit("os", agent.os)
    line.os_version = admit("os_version", agent.os_version)
    line.device, line.bot_score = agent.device, agent.bot_score


def put_place(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """The country; the address it was found by is not here any more."""
    line.country = arrival.country


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
    return Address(origin, scrub(parts.path) or "/")


def put_address(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """The view's origin and path, and its route unless the page named it."""
    line.origin, line.url = address_of(beacon.url)
    routes = arrival.memory.routes
    line.route = routes.admit(scrub(beacon.route)) if beacon.route else routes.template(line.url)


def put_team(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Who owns this route, or else the app."""
    line.team = arrival.app.team_of(line.route)


def put_texts(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """What a page says of its views in its own words, without e-mail addresses, tokens and card numbers."""
    if line.attributes:
        line.attributes = {name: scrub(value) for name, value in line.attributes.items()}


def put_events(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """What is made of each event, in one pass: a beacon has many, and no time to be gone through seven times."""
    template, budgets = arrival.memory.endpoints.template, arrival.memory.budgets
    known, admit = budgets.known, budgets.admit
    # Whether a word is within its budget is asked only where it is not known to be: a call takes longer than a look.
    errors: list[Event] = []
    for event in beacon.events:
        event.clamped = not EARLIEST_AT_MS <= event.at <= LATEST_AT_MS
        event.endpoint = event.fingerprint = ""
        if event.clamped:
            event.at = min(max(event.at, EARLIEST_AT_MS), LATEST_AT_MS)
        if event.url:
            # The address without its private parts, and its templated path.
            origin, path = address_of(event.url)
            if origin == line.origin:
                origin = ""
            event.url = origin + path
            event.endpoint = template(path, origin)
            if event.type == "feed" and not event.name:
                # A feed that nobody named goes by its address, whatever the numbers in its path.
                event.name = (origin + _NUMBER.sub(":n", path))[:256]
        if event.name:
            event.name = scrub_short(event.name)
            # A vital has one of five names. Of other names each type has a budget: marks shall not use up that of feeds.
            if event.type != "vital" and event.name not in known[event.type]:
                event.name = admit(event.type, event.name)
        if event.target:
            event.target = scrub_short(event.target)
        if event.attributes:
            scrubbed = {name: scrub(value) for name, value in event.attributes.items()}
            event.attributes = budgets.admit_keys("attributes", scrubbed)
        if event.cause and event.cause not in known["cause"]:
            event.cause = admit("cause", event.cause)
        if event.failure and event.failure not in known["failure"]:
            event.failure = admit("failure", event.failure)
        if event.initiator and event.initiator not in known["initiator"]:
            event.initiator = admit("initiator", event.initiator)
        if event.trace_source and event.trace_source not in known["trace_source"]:
            event.trace_source = admit("trace_source", event.trace_source)
        if event.phases and not known["phases"].issuperset(event.phases):
            event.phases = budgets.admit_keys("phases", event.phases)
        if event.error_type and event.error_type not in known["error_type"]:
            event.error_type = admit("error_type", event.error_type)
        if event.type == "error":
            errors.append(event)
        elif event.crumbs:
            event.crumbs = []
    if errors:
        _put_errors(errors)


def _put_errors(errors: list[Event]) -> None:
    """What came before each, of which a beacon says everything once; their texts without what is private; and which
    group each belongs to, which is made of its texts."""
    put_together(errors)
    for error in errors:
        error.message, error.stack = scrub(error.message), scrub(error.stack)
        error.breadcrumbs = scrub(error.breadcrumbs)
        error.fingerprint = fingerprint_of(error.error_type, error.message, error.stack, error.url)


def put_budgeted_words(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """No more different words in a column than its budget: one page must not make everybody's queries slow."""
    budgets = arrival.memory.budgets
    for field in BUDGETED:
        value = getattr(line, field)
        if value and value not in budgets.known[field]:
            setattr(line, field, budgets.admit(field, value))
    if line.attributes:
        line.attributes = budgets.admit_keys("attributes", line.attributes)
    if line.flags:
        line.flags = budgets.admit_keys("flags", line.flags)
        line.flag_sources = budgets.admit_keys("flags", line.flag_sources)


def put_outcomes(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Events of this beacon that were refused, here or already in the page: they reach the ledger with their neighbours."""
    if not beacon.refused and not beacon.dropped:
        return
    minute = arrival.received_at // 60_000 * 60
    counted = [(str(outcome), n) for outcome, n in beacon.refused.items()]
    counted += [(f"client_{reason}", n) for reason, n in beacon.dropped.items() if n]
    line.outcomes = [{"app": line.app, "minute": minute, "outcome": outcome, "n": n} for outcome, n in counted]


Step = Callable[[Line, Beacon, Arrival], Outcome | None]

STEPS: tuple[Step, ...] = (
    put_beacon,
    put_clock,
    put_agent,
    put_place,
    put_address,
    put_team,
    put_texts,
    put_events,
    put_budgeted_words,
    put_outcomes,
)


def enrich(beacon: Beacon, arrival: Arrival) -> Line | Outcome:
    """Run a beacon through STEPS: the line to spool, or the outcome that ended its story."""
    line = Line(beacon.beacon_id, arrival.received_at, arrival.app.name, *_said(beacon))
    for step in STEPS:
        outcome = step(line, beacon, arrival)
        if outcome:
            return outcome
    return line
