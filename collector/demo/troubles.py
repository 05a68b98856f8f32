"""Troubles: what is wrong in the shop today, planted one at a time from its control page.

Every process of the shop reads the name of the planted trouble from one file, so that a click changes them all. Each
trouble names the page of Farside on which it can be seen.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that can go wrong: what happens, which stock rule of Farside's finds it, and which page explains it."""

    name: str
    title: str
    story: str
    page: str
    rule: str


TROUBLES = (
    Trouble(
        "scroll",
        "The list floods its own backend",
        "The scroll handler of the talk: nothing remembers that a request is under way, so every scroll event near the end"
        " asks again, and a tall window asks before anybody has scrolled.",
        "/feeds",
        "feed-burst",
    ),
    Trouble(
        "slow-voting",
        "One service is slow",
        "The voting service recounts all votes at every question. Pages are there at once; the votes on them come late.",
        "/map",
        "fetch-slow",
    ),
    Trouble(
        "n-plus-one",
        "A question for each comment",
        "The comment service asks the moderation service about one comment after the other instead of all at once.",
        "/traces",
        "repeated-calls",
    ),
    Trouble(
        "flags-away",
        "The flag service is away",
        "Nobody answers which features are on. Pages fall back to what they remember, then to built-in defaults.",
        "/flags",
        "flags-on-default",
    ),
    Trouble(
        "bad-release",
        "A bad release",
        "Release 2.15.0 works out recommendations before it sends the list, and its wishlist throws on every second page. "
        "Let 2.14.0 run for ten minutes first: a release is judged by the one before it.",
        "/releases",
        "release-slower",
    ),
    Trouble(
        "partner-away",
        "A third party is away",
        "The badge of a partner stands in the head of every page. Its server answers after three seconds, with an error.",
        "/resources",
        "third-party-slow",
    ),
    Trouble(
        "skewed-clock",
        "Browsers' clocks are wrong",
        "Every visitor's clock is 95 seconds ahead. Views and traces must not fall apart for it.",
        "/pipeline",
        "clocks-off",
    ),
)
NAMES = tuple(trouble.name for trouble in TROUBLES)


class Troubles:
    """The planted trouble, told through the file at `path`; no file, or an empty one, is a healthy shop."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def planted(self) -> str:
        """The name of what is wrong now, empty when nothing is."""
        try:
            name = self._path.read_text()
        except FileNotFoundError:
            return ""
        return name if name in NAMES else ""

    def is_on(self, name: str) -> bool:
        """Whether this one is planted."""
        return self.planted() == name

    def plant(self, name: str) -> None:
        """Plant one of NAMES and mend every other; an empty name mends all."""
        # Written aside and renamed: a service that reads meanwhile finds the old name or the new one.
        draft = self._path.with_suffix(".draft")
        draft.write_text(name)
        draft.replace(self._path)
