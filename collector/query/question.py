"""Question: which app, which time, which part of the views; read from a URL here, and written back to one here.

A page, its links and its SQL all use the one object, so no link loses a filter. A question ends at a watermark: links
pin it (`at`), so that a count on the page they open is the count that was clicked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from collector.store import Store

# Columns of `events` a question can be narrowed by, under the name they have in the URL.
FILTERS = {
    "route": "route",
    "release": "release",
    "environment": "environment",
    "browser": "browser",
    "os": "os",
    "device": "device",
    "country": "country",
    "connection": "connection",
    "user": "user_id",
    "session": "session_id",
}
RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
DEFAULT_RANGE = "1h"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadQuestion(Exception):  # noqa: N818
    """The URL asks for something that does not exist; the sentence names it and what there is instead."""


@dataclass(frozen=True, slots=True)
class Question:
    """One selection of events: those of `app`, received in (since, until], with all of `where`."""

    app: str
    until: datetime
    range: str = DEFAULT_RANGE
    is_live: bool = True
    where: tuple[tuple[str, str], ...] = ()

    @property
    def span(self) -> timedelta:
        """How long the range is."""
        return RANGES[self.range]

    @property
    def since(self) -> datetime:
        """The start of the range, itself excluded."""
        return self.until - self.span

    @property
    def at(self) -> int:
        """The watermark in milliseconds since 1970, as links carry it."""
        return milliseconds(self.until)

    def narrowed(self, **filters: str) -> "Question":
        """The same question with these filters; an empty value takes one away."""
        unknown = set(filters) - set(FILTERS)
        if unknown:
            raise BadQuestion(f"cannot filter by {', '.join(sorted(unknown))}; there are {', '.join(FILTERS)}")
        merged = dict(self.where) | filters
        return replace(self, where=tuple((name, merged[name]) for name in FILTERS if merged.get(name)))

    def link(self, path: str, **extra: str) -> str:
        """A link that keeps everything and pins the watermark: what it opens counts the same events."""
        return replace(self, is_live=False).here(path, **extra)

    def here(self, path: str, **extra: str) -> str:
        """A link that keeps everything and stays live if this question is."""
        pairs = [("app", self.app), ("range", self.range), *self.where]
        if not self.is_live:
            pairs.append(("at", str(self.at)))
        pairs += [(name, value) for name, value in extra.items() if value]
        return f"{quote(path)}?{urlencode(pairs)}"

    def live(self, path: str) -> str:
        """The same question, asked of now."""
        return replace(self, is_live=True).here(path)

    def over(self, name: str) -> "Question":
        """The same question over another range."""
        return replace(self, range=name)

    def about(self, app: str) -> "Question":
        """Another app over the same time; filters name values of the old app and are dropped."""
        return replace(self, app=app, where=())


def parse(pairs: Iterable[tuple[str, str]], apps: Mapping[str, object], watermark: datetime) -> Question:
    """Read a question from a URL's parameters. Those that are none of its business are left alone."""
    given = dict(pairs)
    app = given.get("app") or next(iter(apps), "")
    if app not in apps:
        raise BadQuestion(f"there is no app {app!r}; the settings know {', '.join(apps) or 'none'}")
    name = given.get("range") or DEFAULT_RANGE
    if name not in RANGES:
        raise BadQuestion(f"there is no range {name!r}; there are {', '.join(RANGES)}")
    until, is_live = floor_ms(watermark), True
    if given.get("at"):
        until, is_live = min(until, _moment(given["at"])), False
    question = Question(app, until, name, is_live)
    return question.narrowed(**{name: given[name] for name in FILTERS if given.get(name)})


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, whole ones."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def floor_ms(moment: datetime) -> datetime:
    """The moment without what a DateTime64(3) cannot hold."""
    return EPOCH + timedelta(milliseconds=milliseconds(moment))


def _moment(text: str) -> datetime:
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise BadQuestion(f"at={text!r} is not a time in milliseconds since 1970")
    return EPOCH + timedelta(milliseconds=int(text))


@cache
def sql(name: str) -> str:
    """The text of `collector/queries/NAME.sql`."""
    return (resources.files("collector") / "queries" / f"{name}.sql").read_text()


def scope(question: Question) -> str:
    """The predicate every question shares. Columns come from FILTERS, values are bound by the engine.

    Columns are qualified: a query may well call one of its results `route`, and ClickHouse would take that.
    """
    return " AND ".join(
        [
            "events.app = {app:String}",
            "events.received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')",
            "events.received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')",
            *(f"events.{FILTERS[name]} = {{where_{name}:String}}" for name, _ in question.where),
        ]
    )


def ask(store: Store, name: str, question: Question, **parameters: Any) -> list[dict[str, Any]]:
    """Run the query of this name within the question's scope; `parameters` add to the scope's, or replace one."""
    bound = {
        "app": question.app,
        "since_ms": milliseconds(question.since),
        "split_ms": milliseconds(question.since),
        "until_ms": question.at,
        **{f"where_{name}": value for name, value in question.where},
    }
    text = sql(name).replace("/* latest */", f"\n{sql('latest')}").replace("/* scope */", scope(question))
    return store.read(text, bound | parameters)
