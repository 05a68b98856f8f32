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
from collector.beacon import Beacon, Event
from collector.budgets import KEYS_LIMIT, Budgets
from collector.crumbs import put_together
from collector.fingerprint import fingerprint_of
from collector.outcomes import Outcome
from collector.routes import Routes
from collector.scrub import scrub, scrub_short
from collector.settings import App

CLOCK_TOLERANCE_MS = 60_000
_NUMBER = re.compile(r"\d+")
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


class Line(Struct, omit_defaults=True):
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
        line.base_at += line.clock_offset_ms
        line.clock = "shifted"


def put_times(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Clamp times that no view can have, and say so on the event."""
    for event in beacon.events:
        if not EARLIEST_AT_MS <= event.at <= LATEST_AT_MS:
            event.clamped = True
            event.at = min(max(event.at, EARLIEST_AT_MS), LATEST_AT_MS)
        elif event.clamped:
            event.clamped = False
    line.base_at = min(max(line.base_at, 0.0), 4_102_444_800_000.0)


def put_agent(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Browser, system, kind of device, and how surely it is a robot: kept and scored, never dropped for it."""
    agent, budgets = arrival.agent, arrival.memory.budgets
    words: tuple[str, ...] = agent[:4]
    if words not in budgets.fitting:
        words = tuple(map(budgets.admit, ("browser", "browser_version", "os", "os_version"), words))
        if words == agent[:4]:
            budgets.remember(words)
    line.browser, line.browser_version, line.os, line.os_version = words
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


def put_endpoints(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """For every event with an address: the address without its private parts, and its templated path."""
    template = arrival.memory.endpoints.template
    for event in beacon.events:
        if event.url:
            origin, path = address_of(event.url)
            if origin == line.origin:
                origin = ""
            event.url = origin + path
            event.endpoint = template(path, origin)
        elif event.endpoint:
            event.endpoint = ""


def put_fingerprints(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Which group each error belongs to."""
    for event in beacon.events:
        if event.type == "error":
            event.fingerprint = fingerprint_of(event.error_type, event.message, event.stack, event.url)
        elif event.fingerprint:
            event.fingerprint = ""


def put_feed_names(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """A feed that nobody named goes by its address, whatever the numbers in its path."""
    for event in beacon.events:
        if event.type == "feed" and not event.name and event.url:
            origin, path = address_of(event.url)
            event.name = (origin + _NUMBER.sub(":n", path))[:256]


def put_breadcrumbs(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """What came before each error, of which a beacon says everything once."""
    put_together(beacon.events)


def put_scrubbed_text(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """Free text without e-mail addresses, tokens and card numbers; before fingerprints, which are made of it."""
    if line.attributes:
        line.attributes = {name: scrub(value) for name, value in line.attributes.items()}
    for event in beacon.events:
        if event.name:
            event.name = scrub_short(event.name)
        if event.target:
            event.target = scrub_short(event.target)
        if event.type == "error":
            event.message, event.stack = scrub(event.message), scrub(event.stack)
            event.breadcrumbs = scrub(event.breadcrumbs)
        if event.attributes:
            event.attributes = {name: scrub(value) for name, value in event.attributes.items()}


def put_budgeted_words(line: Line, beacon: Beacon, arrival: Arrival) -> None:
    """No more different words in a column than its budget: one page must not make everybody's queries slow."""
    budgets = arrival.memory.budgets
    if (words := _words_of_line(line)) not in budgets.fitting:
        for field in ("release", "environment", "connection", "snippet", "origin"):
            setattr(line, field, budgets.admit(field, getattr(line, field)))
        line.attributes = budgets.admit_keys("attributes", line.attributes)
        line.flags = budgets.admit_keys("flags", line.flags)
        line.flag_sources = budgets.admit_keys("flags", line.flag_sources)
        if _words_of_line(line) == words:
            budgets.remember(words)
    fitting = budgets.fitting
    for event in beacon.events:
        words = _words_of(event) if event.phases or event.attributes else _own_words(event)
        if words not in fitting:
            _put_budgeted_words_of(event, budgets)


def _put_budgeted_words_of(event: Event, budgets: Budgets) -> None:
    words = _words_of(event)
    for field in ("cause", "failure", "initiator", "trace_source", "error_type"):
        setattr(event, field, budgets.admit(field, getattr(event, field)))
    event.attributes = budgets.admit_keys("attributes", event.attributes)
    event.phases = {budgets.admit("phases", name, KEYS_LIMIT): ms for name, ms in event.phases.items()}
    if _words_of(event) == words:
        budgets.remember(words)


def _words_of_line(line: Line) -> tuple[str, ...]:
    words = ("\0line", line.release, line.environment, line.connection, line.snippet, line.origin)
    return (*words, "", *line.attributes, "", *line.flags)


def _words_of(event: Event) -> tuple[str, ...]:
    if event.attributes:
        return (*_own_words(event), *event.phases, "", *event.attributes)
    return (*_own_words(event), *event.phases)


_own_words = attrgetter("cause", "failure", "initiator", "trace_source", "error_type")


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
    put_times,
    put_agent,
    put_place,
    put_address,
    put_team,
    put_endpoints,
    put_feed_names,
    put_breadcrumbs,
    put_scrubbed_text,
    put_budgeted_words,
    put_fingerprints,
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
