"""Question: what is asked of which app, which time and which part of the views; read from a URL or a rule, and written back.

    app, range | from, to, at, FIELD=text …, metric, aggregate, group_by, compare, view

A page, its links, its SQL, an alert rule and a saved query are the one object, so no link loses a filter. A question ends
at a watermark: links pin it (`at`), so that a count on the page they open is the count that was clicked. `parse` reads a
URL's parameters and `from_plain` a rule's mapping, which it turns into the same parameters; `pairs` and `to_plain` write.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from collector.query.condition import Where, canonical, compile_where, literal, read
from collector.query.fields import FIELDS, field_of, is_field
from collector.query.fields import BadQuestion as BadQuestion
from collector.query.metrics import check_aggregate, metric_of
from collector.query.spread import AROUND
from collector.store import Store
from collector.store.spans import read_from

# The fields a page's own links narrow by, under the name they have in the URL → their column.
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
# The ranges pages offer; any number of minutes, hours or days will do.
RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=400)
DEFAULT_RANGE = "1h"
# Queries that are parts of others, put in where a comment names them.
PARTS = ("latest", "hops", "sampled", "lookup")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GROUPS = 4
COMPARES = {
    "rest": "everything else in the same time",
    "before": "the same length of time before",
    "week": "the same time a week earlier",
}
PLAIN = ("metric", "aggregate", "where", "group_by", "range", "from", "to", "at", "compare", "view")


@dataclass(frozen=True, slots=True)
class Question:
    """One selection of events: those of `app`, received in (since, until], with all of `where`, and what is asked of it.

    `where` holds pairs of a field's name and text as `condition` writes them; several texts of one field are alternatives.
    """

    app: str
    until: datetime
    range: str = DEFAULT_RANGE  # "" when `start` says where the time begins
    is_live: bool = True
    where: tuple[tuple[str, str], ...] = ()
    start: datetime | None = None
    metric: str = ""
    aggregate: str = ""
    group_by: tuple[str, ...] = ()
    compare: str = ""
    view: str = ""

    @property
    def span(self) -> timedelta:
        """How long the range is."""
        return self.until - self.start if self.start else length(self.range)

    @property
    def since(self) -> datetime:
        """The start of the range, itself excluded."""
        return self.start or self.until - self.span

    @property
    def at(self) -> int:
        """The watermark in milliseconds since 1970, as links carry it."""
        return milliseconds(self.until)

    @property
    def filters(self) -> dict[str, str | list[str]]:
        """`where` by name: the text, or all texts where there are several."""
        found: dict[str, list[str]] = {}
        for name, text in self.where:
            found.setdefault(name, []).append(text)
        return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}

    def narrowed(self, **filters: str) -> "Question":
        """The same question where these fields are exactly these values, whatever was said of them before; an empty
        value takes a field's conditions away."""
        kept = [(name, text) for name, text in self.where if name not in filters]
        added = []
        for name, value in filters.items():
            is_number = field_of(name).is_number
            if value:
                added.append((name, value if is_number else literal(value)))
        return replace(self, where=canonical([*kept, *added]))

    def where_also(self, name: str, text: str) -> "Question":
        """The same question with one condition more, written as in a URL: `where_also("browser", "!Chrome")`."""
        return replace(self, where=canonical([*self.where, (name, text)]))

    def without(self, name: str, text: str) -> "Question":
        """The same question without one condition."""
        return replace(self, where=tuple(pair for pair in self.where if pair != (name, text)))

    def asking(self, **what: Any) -> "Question":
        """The same selection with another `metric`, `aggregate`, `group_by`, `compare` or `view`."""
        return _checked(replace(self, **what))

    def link(self, path: str, **extra: str) -> str:
        """A link that keeps everything and pins the watermark: what it opens counts the same events."""
        return replace(self, is_live=False).here(path, **extra)

    def here(self, path: str, **extra: str) -> str:
        """A link that keeps everything and stays live if this question is."""
        return f"{quote(path)}?{urlencode([*self.pairs(), *((name, value) for name, value in extra.items() if value)])}"

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of a URL that asks this."""
        time = [("from", str(milliseconds(self.start)))] if self.start else [("range", self.range)]
        found = [("app", self.app), *time, *self.where]
        if not self.is_live:
            found.append(("to" if self.start else "at", str(self.at)))
        found += [(name, text) for name in ("metric", "aggregate") if (text := getattr(self, name))]
        found += [("group_by", name) for name in self.group_by]
        return found + [(name, text) for name in ("compare", "view") if (text := getattr(self, name))]

    def to_plain(self) -> dict[str, Any]:
        """The question as a rule's text holds it: `{metric, aggregate, where: {app, …}, group_by, range, …}`."""
        found: dict[str, Any] = {"where": {"app": self.app, **self.filters}}
        for name, value in self.pairs():
            if name == "group_by":
                found["group_by"] = list(self.group_by)
            elif name in PLAIN:
                found[name] = int(value) if name in {"from", "to", "at"} else value
        return {name: found[name] for name in PLAIN if name in found}

    def live(self, path: str) -> str:
        """The same question, asked of now."""
        return replace(self, is_live=True).here(path)

    def over(self, name: str) -> "Question":
        """The same question over another range that ends where this one does."""
        return replace(self, range=name, start=None)

    def between(self, start: datetime, end: datetime) -> "Question":
        """The same question over a time of one's own: (start, end]."""
        return replace(self, range="", start=floor_ms(start), until=floor_ms(end), is_live=False)

    def about(self, app: str) -> "Question":
        """Another app over the same time; filters name values of the old app and are dropped."""
        return replace(self, app=app, where=())


def parse(pairs: Iterable[tuple[str, str]], apps: Mapping[str, object], watermark: datetime) -> Question:
    """Read a question from a URL's parameters. Those that are none of its business are left alone."""
    given = [_split(name, value) for name, value in pairs]
    last = {name: value for name, value in given if value}
    app = last.get("app") or next(iter(apps), "")
    if app not in apps:
        raise BadQuestion(f"there is no app {app!r}; the settings know {', '.join(apps) or 'none'}")
    where = canonical((name, value) for name, value in given if value and is_field(name))
    question = replace(_time(last, watermark), app=app, where=where)
    return question.asking(
        metric=last.get("metric", ""),
        aggregate=last.get("aggregate", ""),
        group_by=tuple(dict.fromkeys(value for name, value in given if name == "group_by" and value)),
        compare=last.get("compare", ""),
        view=last.get("view", ""),
    )


def from_plain(plain: Mapping[str, Any], apps: Mapping[str, object], watermark: datetime) -> Question:
    """Read a question from a rule or a saved query; unlike a URL it may say nothing that is not understood."""
    if unknown := sorted(str(name) for name in set(plain) - set(PLAIN)):
        raise BadQuestion(f"a question has no {', '.join(unknown)}; it has {', '.join(PLAIN)}")
    where = plain.get("where") or {}
    if not isinstance(where, Mapping):
        raise BadQuestion(f"where is {where!r}; it maps fields to values, like {{app: shop, device: mobile}}")
    pairs: list[tuple[str, str]] = []
    for name, value in [*where.items(), *((n, v) for n, v in plain.items() if n != "where")]:
        if name in where and name != "app":
            field_of(str(name))
        pairs += [(str(name), _word(str(name), one)) for one in (value if isinstance(value, list | tuple) else [value])]
    return parse(pairs, apps, watermark)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, whole ones."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def floor_ms(moment: datetime) -> datetime:
    """The moment without what a DateTime64(3) cannot hold."""
    return EPOCH + timedelta(milliseconds=milliseconds(moment))


def length(name: str) -> timedelta:
    """How long a range is: 15m, 1h, 24h, 7d, or any number of minutes, hours or days; raises `BadQuestion`."""
    digits, unit = name[:-1], name[-1:]
    if digits.isascii() and digits.isdigit() and len(digits) < 7 and unit in UNITS:
        found = int(digits) * UNITS[unit]
        if timedelta(0) < found <= LONGEST:
            return found
    raise BadQuestion(
        f"there is no range {name!r}; there are {', '.join(RANGES)}, and any number of minutes, hours or days up to "
        f"{LONGEST.days}d, like 90m, 6h or 14d"
    )


def _time(given: Mapping[str, str], watermark: datetime) -> Question:
    """A question without anything but its time."""
    until, is_live = floor_ms(watermark), True
    for name in ("at", "to"):
        if name in given:
            until, is_live = min(until, _moment(name, given[name])), False
    if "from" in given:
        start = _moment("from", given["from"])
        if start >= until:
            end = f"to={given['to']}" if "to" in given else f"what has been loaded, up to {until.isoformat()}"
            raise BadQuestion(f"from={given['from']} is not before {end}")
        return Question("", until, "", is_live, start=start)
    name = given.get("range") or DEFAULT_RANGE
    if "to" in given:  # only with `from` is this a time of its own
        return Question("", until, "", False, start=until - length(name))
    length(name)
    return Question("", until, name, is_live)


def _split(name: str, value: str) -> tuple[str, str]:
    """`?duration_ms>500` and `?duration_ms>=500` reach a server as odd names; they mean what they look like."""
    found = re.fullmatch(r"([a-z_]+)([<>])(.*)", name, re.DOTALL)
    if not found or found[1] not in FIELDS:
        return name, value
    return found[1], f"{found[2]}{'=' if value else ''}{found[3]}{value}"


def _checked(question: Question) -> Question:
    for name in question.group_by:
        if field_of(name).kind == "vital":
            raise BadQuestion(f"cannot group by {name}: nearly every view has another; narrow by it, like {name}=>2500")
    if len(question.group_by) > GROUPS:
        raise BadQuestion(f"cannot group by more than {GROUPS} fields at once; {len(question.group_by)} are asked for")
    if question.metric:
        metric_of(question.metric)
    if question.aggregate:
        check_aggregate(question.metric, question.aggregate)
    if question.compare and question.compare not in COMPARES:
        name, equals, text = question.compare.partition("=")
        if not (equals and is_field(name)):
            raise BadQuestion(
                f"there is nothing to compare with called {question.compare!r}; there are {', '.join(COMPARES)}, "
                "and another value of a field, like release=2.14"
            )
        read(name, text)
    if not re.fullmatch(r"[a-z_]{0,32}", question.view):
        raise BadQuestion(f"there is no view {question.view[:40]!r}")
    return question


def _word(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, str | int | float) and str(value):
        return str(value)
    raise BadQuestion(f'{name} is {value!r}; write a text or a number, and "" in quotation marks for what is not known')


def _moment(name: str, text: str) -> datetime:
    """Milliseconds since 1970, or a date and time as ISO 8601 writes it (UTC unless it says otherwise)."""
    try:
        if text.isascii() and text.isdigit() and len(text) <= 14:
            return EPOCH + timedelta(milliseconds=int(text))
        found = datetime.fromisoformat(text)
        return floor_ms(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise BadQuestion(
            f"{name}={text!r} is not a time in milliseconds since 1970, nor one like 2026-11-24T10:00Z"
        ) from None


@cache
def sql(name: str) -> str:
    """The text of `collector/queries/NAME.sql`."""
    return (resources.files("collector") / "queries" / f"{name}.sql").read_text()


PERIOD = (
    "events.app = {app:String} AND events.received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')"
    " AND events.received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')"
)


def scope(question: Question) -> str:
    """The predicate every question shares: its app, its time and all of `where`; values are bound by the engine.

    Columns are qualified: a query may well call one of its results `route`, and ClickHouse would take that.
    """
    return where_of(question).of_rows()


def where_of(question: Question, suffix: str = "") -> Where:
    """The predicates for metrics of single events and of views. With a `suffix` to the names of all parameters two
    questions fit into one query."""
    return _compiled(question.where, suffix)[0]


def bound(question: Question, suffix: str = "") -> dict[str, Any]:
    """The parameters that the predicates speak of."""
    return {
        f"app{suffix}": question.app,
        f"since_ms{suffix}": milliseconds(question.since),
        f"split_ms{suffix}": milliseconds(question.since),
        f"until_ms{suffix}": question.at,
        "one_in": 1,  # views are all read; see `weights`
        **_compiled(question.where, suffix)[1],
    }


@lru_cache(maxsize=512)
def _compiled(where: tuple[tuple[str, str], ...], suffix: str) -> tuple[Where, Mapping[str, Any]]:
    values: dict[str, Any] = {}

    def bind(value: object, kind: str) -> str:
        name = f"where_{len(values)}{suffix}"
        values[name] = value
        return f"{{{name}:{kind}}}"

    period = re.sub(r"\{(\w+):", rf"{{\1{suffix}:", PERIOD)
    return compile_where(where, bind, period), MappingProxyType(values)


def ask(store: Store, name: str, question: Question, /, **parameters: Any) -> list[dict[str, Any]]:
    """Run the query of this name within the question's scope; `parameters` add to the scope's, or replace one."""
    return read_text(store, written(store, name, question), question, **parameters)


def written(store: Store, name: str, question: Question) -> str:
    """The text of a query, with its parts and the question's scope put in."""
    text = sql(name)
    for part in PARTS:
        text = text.replace(f"/* {part} */", f"\n{sql(part)}")
    text = text.replace("/* around */", AROUND)
    return read_from(text.replace("/* scope */", scope(question)), store.traces_table)


def read_text(store: Store, text: str, question: Question, /, **parameters: Any) -> list[dict[str, Any]]:
    """Run such a text."""
    return store.read(text, bound(question) | parameters)
