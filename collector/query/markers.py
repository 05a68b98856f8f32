"""Markers: what changed while a chart's time ran, to be drawn on it: releases first seen, what CI or people posted, alerts
that began to fire, settings seen to change."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import Question, ask
from collector.store import Store

RELEASES = 12
POSTED = 40


@dataclass(frozen=True, slots=True)
class Marker:
    """One moment: `kind` is `release`, `alert` or `config` where Farside saw it itself, else what was posted (`deploy`,
    `flag`, …)."""

    kind: str
    name: str
    at: datetime
    link: str = ""


def markers(store: Store, question: Question) -> list[Marker]:
    """Everything that changed within the question's time, the earliest first."""
    found = [*releases_begun(store, question), *posted_markers(store, question), *noted_markers(store, question)]
    return sorted(found, key=lambda marker: marker.at)


def releases_begun(store: Store, question: Question) -> list[Marker]:
    """Releases that were first seen within the question's time, the earliest first."""
    rows = ask(store, "releases_begun", question, limit=RELEASES)
    return [Marker("release", row["release"], row["began_at"]) for row in rows]


def posted_markers(store: Store, question: Question) -> list[Marker]:
    """What was posted for the question's time, the latest POSTED of them."""
    return [Marker(**row) for row in ask(store, "posted_markers", question, limit=POSTED)]


def noted_markers(store: Store, question: Question) -> list[Marker]:
    """Alerts that began to fire and settings seen to change within the question's time, the latest POSTED of them."""
    return [Marker(**row) for row in ask(store, "noted_markers", question, limit=POSTED)]
