"""Compare: what is different about the chosen views (or events)? Against the rest, another time, another value of a field.

Every dimension is looked at over all rows: how often each value is met on either side, the exact difference of the two
shares, and its interval. Values that stand out are then tried together, in pairs and triples, because a cause is often
one browser on one release on one route. Findings are ranked by how much they differ at the least.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from typing import Any

from collector.query.condition import literal
from collector.query.fields import BadQuestion, Field, field_of
from collector.query.metrics import metric_of
from collector.query.question import COMPARES, Question, bound, sql, where_of
from collector.query.spread import of_difference
from collector.store import Store

VALUES = 20  # of each dimension; there may be more paths and users than a page has room for
TOGETHER = 10  # values that are tried in pairs and triples
SAME_FIELD = 2
MORE_THAN_PARTS = 1.05  # a combination has to differ by so much more than what it is made of
OF_VIEWS = (
    "route", "path", "release", "environment", "browser", "browser_version", "os", "os_version", "device", "country",
    "connection", "viewport", "height", "navigation", "origin", "team", "user", "snippet", "hour",
)  # fmt: skip
OF_EVENTS = (*OF_VIEWS, "endpoint", "status", "failure", "initiator", "cause", "trace_source")
OF_ERRORS = (*OF_VIEWS, "error_type", "fingerprint", "name")
NUMBERS = ("device_memory", "save_data")
# What says a field in other words: that Chrome's versions are Chrome's is no finding where Chrome is compared with the rest.
WITHIN = {"route": "path", "browser": "browser_version", "os": "os_version"}
SCATTERED = {"path", "user"}  # values of these say little about a cause when they are tried together with others


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is met more often, or less, among the chosen: `values` are pairs of a field and its value,
    and `same` what was met in exactly as many."""

    values: tuple[tuple[str, str], ...]
    chosen: float
    others: float
    chosen_n: int
    others_n: int
    chosen_share: float
    others_share: float
    low: float
    high: float
    same: tuple[tuple[str, str], ...] = ()

    @property
    def difference(self) -> float:
        """The share among the chosen less that among the others."""
        return self.chosen_share - self.others_share

    @property
    def score(self) -> float:
        """How much the shares differ at the least; 0: it may be chance."""
        return max(0.0, self.low) if self.difference > 0 else max(0.0, -self.high)

    @property
    def times(self) -> float | None:
        """So many times as often among the chosen; None: among the others not at all."""
        return self.chosen_share / self.others_share if self.others_share else None


@dataclass(frozen=True, slots=True)
class Dimension:
    """One field, and its values, those that differ most first."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def score(self) -> float:
        """That of the value that differs most."""
        return max((finding.score for finding in self.findings), default=0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer: `findings` ranked, combinations among them, and `dimensions` with everything that was looked at."""

    question: Question
    baseline: Question
    against: str
    noun: str
    chosen: float
    others: float
    chosen_n: int
    others_n: int
    findings: list[Finding]
    dimensions: list[Dimension]


def compare(store: Store, question: Question) -> Comparison:
    """Compare what the question chooses with what it names in `compare`: the rest unless it says otherwise."""
    against = question.compare or ("rest" if question.where else "before")
    sides = Sides(question, against)
    names = sides.dimensions()
    rows = _counted(store, sides, names)
    totals = next((row for row in rows if row["mask"] == 2 ** len(names) - 1), None)
    scale = _Scale.of(totals)
    found: dict[str, list[Finding]] = {name: [] for name in names}
    for row in rows:
        if row is not totals:
            nr = len(names) - (2 ** len(names) - 1 - row["mask"]).bit_length()  # the first name is the highest bit
            found[names[nr]].append(scale.finding(((names[nr], row["value"]),), row))
    found |= _of_maps(store, sides, scale)
    dimensions = sorted((Dimension(n, f) for n, f in found.items() if len(f) > 1), key=lambda d: (-d.score, d.name))
    single = sorted((f for d in dimensions for f in d.findings), key=lambda f: -f.score)
    together = _together(store, sides, single, scale)
    ranked = _folded(sorted([f for f in single if f.score] + together, key=_rank))
    return Comparison(
        question, sides.baseline, against, sides.noun, scale.chosen, scale.others, scale.chosen_n, scale.others_n,
        ranked, dimensions,
    )  # fmt: skip


class Sides:
    """The rows of both sides as SQL."""

    def __init__(self, question: Question, against: str) -> None:
        metric = metric_of(question.metric or "lcp")
        of_events = metric.source == "events" and metric.types not in {(), ("view",)}
        self.types = metric.types if of_events else ("view",)
        self.noun = metric.noun if of_events else "views"
        self.question, self.against = question, against
        self.baseline = _baseline(question, against)
        self.parameters: dict[str, Any] = bound(question) | bound(self.baseline, "_b")
        self.parameters["types"] = list(self.types)
        self._is_of_events = of_events

    def dimensions(self) -> list[str]:
        """The fields to look at: those the question itself settles say nothing."""
        names = list(OF_VIEWS)
        if self._is_of_events:
            names = list(OF_ERRORS if self.types == ("error",) else OF_EVENTS)
        settled = {name for name, _ in self.question.where} | {self.against.partition("=")[0]}
        if self.against in {"before", "week"}:
            settled.add("hour")
        differing = {name for name, _ in set(self.question.where) ^ set(self.baseline.where)}
        for name, part in WITHIN.items():
            if differing & {name, part}:
                settled |= {name, part}
        return [name for name in (*names, *NUMBERS) if name not in settled]

    def bind(self, value: object, kind: str) -> str:
        """A value as a parameter that the engine binds."""
        name = f"c_{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def rows(self, columns: str) -> str:
        """The rows of both sides, with these columns, their weight and whether they are chosen."""
        chosen = where_of(self.question).chosen(self.types if self._is_of_events else ())
        period = where_of(self.question).period
        head = f"SELECT {columns}, toUInt64(events.sample_n) AS weight"
        tail = "FROM events WHERE events.type IN {types:Array(String)} AND events.sample_n > 0 AND"
        other = where_of(self.baseline, "_b")
        if self.against == "rest":
            common = other.chosen(self.types if self._is_of_events else ())
            return f"{head}, toBool({chosen}) AS is_chosen {tail} {period} AND {common}"
        others = f"{other.period} AND {other.chosen(self.types if self._is_of_events else ())}"
        return (
            f"{head}, true AS is_chosen {tail} {period} AND {chosen}"
            f" UNION ALL {head}, false AS is_chosen {tail} {others}"
        )


def _baseline(question: Question, against: str) -> Question:
    """What the question is compared with. The rest of slow views on one route are the other views on this route: where
    numbers choose, everything else is common to both sides."""
    if against == "rest":
        common = tuple(pair for pair in question.where if not field_of(pair[0]).is_number)
        return replace(question, where=common if len(common) < len(question.where) else ())
    if against in {"before", "week"}:
        earlier = question.span if against == "before" else timedelta(days=7)
        if against == "week" and question.span > earlier:
            raise BadQuestion("a time longer than a week overlaps itself a week earlier; compare with `before`")
        return question.between(question.since - earlier, question.until - earlier)
    name, _, text = against.partition("=")
    return replace(question, where=tuple(p for p in question.where if p[0] != name)).where_also(name, text)


def _counted(store: Store, sides: Sides, names: Sequence[str]) -> list[dict[str, Any]]:
    columns = ", ".join(f"{_text(field_of(name), sides)} AS d{nr}" for nr, name in enumerate(names))
    keys = [f"d{nr}" for nr in range(len(names))]
    text = (
        sql("compare")
        .replace("/* names */", ", ".join(keys))
        .replace("/* sets */", ", ".join(f"({key})" for key in keys))
        .replace("/* sides */", sides.rows(columns))
    )
    return store.read(text, sides.parameters | {"most": VALUES})


def _of_maps(store: Store, sides: Sides, scale: "_Scale") -> dict[str, list[Finding]]:
    columns = (
        "arrayConcat(mapKeys(events.attributes), mapKeys(events.flags)) AS keys,"
        " arrayConcat(mapValues(events.attributes), mapValues(events.flags)) AS texts,"
        " arrayMap(nr -> nr > length(events.attributes), arrayEnumerate(keys)) AS are_flags"
    )
    text = sql("compare_maps").replace("/* sides */", sides.rows(columns))
    totals = {"chosen_all": max(scale.chosen, 1.0), "others_all": max(scale.others, 1.0)}
    settled = {name for name, _ in sides.question.where} | {sides.against.partition("=")[0]}
    found: dict[str, list[Finding]] = {}
    for row in store.read(text, sides.parameters | totals | {"most": VALUES}):
        if row["key"] not in settled:
            found.setdefault(row["key"], []).append(scale.finding(((row["key"], row["value"]),), row))
    return found


def _together(store: Store, sides: Sides, single: Iterable[Finding], scale: "_Scale") -> list[Finding]:
    """Pairs and triples of the values that stand out, where they differ by more than their parts do."""
    tried = _candidates(single)
    if len(tried) < 2:
        return []
    tests = []
    for nr, finding in enumerate(tried):
        ((name, value),) = finding.values
        tests.append(f"bitShiftLeft(toUInt32({_text(field_of(name), sides)} = {sides.bind(value, 'String')}), {nr})")
    text = sql("compare_together").replace("/* sides */", sides.rows(f"{' + '.join(tests)} AS bits"))
    rows = store.read(text, sides.parameters)
    scores: dict[tuple[int, ...], float] = {(nr,): finding.difference for nr, finding in enumerate(tried)}
    found = []
    for size in (2, 3):
        for chosen in combinations(range(len(tried)), size):
            values = tuple(tried[nr].values[0] for nr in chosen)
            if len({name for name, _ in values}) < size:
                continue
            bits = sum(1 << nr for nr in chosen)
            own = {key: sum(row[key] for row in rows if row["bits"] & bits == bits) for key in _SUMS}
            finding = scale.finding(values, own)
            scores[chosen] = finding.difference
            parts = max(scores.get(part, 0.0) for length in range(1, size) for part in combinations(chosen, length))
            if finding.score and finding.difference > parts * MORE_THAN_PARTS:
                found.append(finding)
    return found


_SUMS = ("chosen", "others", "chosen_n", "others_n")


def _candidates(single: Iterable[Finding]) -> list[Finding]:
    """The values most over-represented, at most two of a field."""
    found: list[Finding] = []
    for finding in single:
        ((name, _),) = finding.values
        same = sum(1 for other in found if other.values[0][0] == name)
        if finding.score and finding.difference > 0 and same < SAME_FIELD and name not in SCATTERED:
            found.append(finding)
        if len(found) == TOGETHER:
            break
    return found


def _rank(finding: Finding) -> tuple[float, int, bool]:
    return -finding.score, len(finding.values), any(name in SCATTERED for name, _ in finding.values)


def _folded(ranked: list[Finding]) -> list[Finding]:
    """Findings about the very same rows as one: every phone is narrow, and one of the two is enough to read."""
    found: dict[tuple[float, ...], Finding] = {}
    for finding in ranked:
        counts = (finding.chosen, finding.others, finding.chosen_n, finding.others_n)
        if counts not in found:
            found[counts] = finding
        elif len(finding.values) == 1 == len(found[counts].values):
            found[counts] = replace(found[counts], same=(*found[counts].same, finding.values[0]))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Scale:
    """What counts are divided by, and how many observations they are worth."""

    chosen: float
    others: float
    chosen_n: int
    others_n: int
    chosen_worth: float
    others_worth: float

    @classmethod
    def of(cls, row: dict[str, Any] | None) -> "_Scale":
        if row is None:
            return cls(0, 0, 0, 0, 0, 0)
        worth = {s: row[s] ** 2 / row[f"{s}_squares"] if row[s] else 0.0 for s in ("chosen", "others")}
        counts = (row["chosen"], row["others"], row["chosen_n"], row["others_n"])
        return cls(*counts, worth["chosen"], worth["others"])

    def finding(self, values: tuple[tuple[str, str], ...], row: dict[str, Any]) -> Finding:
        one = row["chosen"] / self.chosen if self.chosen else 0.0
        other = row["others"] / self.others if self.others else 0.0
        low, high = -1.0, 1.0
        if self.chosen and self.others:
            low, high = of_difference(one, self.chosen_worth, other, self.others_worth)
        counts = (row["chosen"], row["others"], row["chosen_n"], row["others_n"])
        return Finding(values, *counts, one, other, low, high)


def _text(own: Field, sides: Sides) -> str:
    return f"ifNull(toString({own.expression(sides.bind)}), '')"


def narrowed_to(question: Question, finding: Finding) -> Question:
    """The question narrowed to what a finding names, for the link behind it."""
    for name, value in finding.values:
        text = value if value and field_of(name).is_number else literal(value)
        question = question.where_also(name, text)
    return question


def said(against: str) -> str:
    """What the chosen are compared with, in words."""
    return COMPARES.get(against) or f"those with {against.replace('=', ' ', 1)}"
