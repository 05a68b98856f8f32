"""People: who visits the shop, with which screen, machine, line and patience.

`somebody()` draws one of them. The shares are made up but not arbitrary: half are on phones, one in seven has a window
so tall that a page of the list does not fill it, one in five is on a slow line.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Screen:
    """A viewport in CSS pixels; `device` names one of Playwright's phones and tablets, else `system` a computer."""

    name: str
    width: int
    height: int
    device: str = ""
    system: str = "X11; Linux x86_64"


@dataclass(frozen=True, slots=True)
class Line:
    """A network connection: round trip in milliseconds, download in kilobits a second; 0 is this machine's own."""

    name: str
    round_trip_ms: float = 0
    kilobits: float = 0


@dataclass(frozen=True, slots=True)
class Person:
    """`slowdown` divides the processor's speed; `pause_s` is the typical time between two things done."""

    screen: Screen
    line: Line
    slowdown: int
    pause_s: float
    locale: str
    timezone: str


_WINDOWS = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_SCREENS = (
    (Screen("laptop", 1366, 768, system=_WINDOWS), 18),
    (Screen("desktop", 1920, 1080, system=_WINDOWS), 14),
    (Screen("tall", 1440, 2000, system=_MAC), 10),
    (Screen("portrait", 1080, 1920), 4),
    (Screen("Android", 412, 839, "Pixel 7"), 28),
    (Screen("old Android", 360, 740, "Galaxy S9+"), 12),
    (Screen("iPhone", 390, 664, "iPhone 14"), 10),
    (Screen("tablet", 712, 1138, "Galaxy Tab S4"), 4),
)
_LINES = (
    (Line("fibre"), 50),
    (Line("cable", 28, 40_000), 30),
    (Line("4g", 90, 9_000), 14),
    (Line("3g", 300, 1_600), 6),
)
_HOMES = (
    ("en-GB", "Europe/London"),
    ("de-DE", "Europe/Berlin"),
    ("nl-NL", "Europe/Amsterdam"),
    ("en-US", "America/New_York"),
    ("pt-BR", "America/Sao_Paulo"),
    ("ja-JP", "Asia/Tokyo"),
)


def somebody(dice: random.Random) -> Person:
    """One visitor."""
    screen = dice.choices([one for one, _ in _SCREENS], [share for _, share in _SCREENS])[0]
    line = dice.choices([one for one, _ in _LINES], [share for _, share in _LINES])[0]
    locale, timezone = dice.choice(_HOMES)
    return Person(
        screen=screen,
        line=line,
        slowdown=dice.choice((2, 3, 4)) if screen.device else 1,
        pause_s=min(dice.lognormvariate(0.0, 0.5), 4.0),
        locale=locale,
        timezone=timezone,
    )
