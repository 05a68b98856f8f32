"""Condition: one `field=text` of a question; read here, written here, and compiled to SQL here, nowhere else.

    browser=Chrome       is Chrome              route=/checkout/**   this path and all below it
    browser=!Chrome      is not                 route=/p/*           one more step, whatever it is
    country=""           is not known           duration_ms=>500     numbers: > >= < <=, or the number itself
    country=!""          is known               lcp=>4000            views whose newest LCP is over 4 s

A backslash takes the meaning from the `!`, `*`, `"` or `\\` behind it. Several texts of one field are alternatives; those
with `!`, `<` or `>` each narrow further. A number that was not measured meets no condition.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.query.fields import BadQuestion, Bind, Field, field_of, ordered

MOST = 50
LONGEST = 2_048
EMPTY = '""'
COMPARISONS = (">=", "<=", ">", "<")
VIEW = "events.view_key"
TRUTHS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """`field` is, is like, or compares as `how` says with `value`; a pattern is kept as it was written."""

    field: Field
    how: str  # "is", "like", or one of COMPARISONS
    value: str | float
    is_negated: bool = False

    @property
    def narrows(self) -> bool:
        """Whether it restricts by itself, rather than being one alternative of several."""
        return self.is_negated or self.how in COMPARISONS

    @property
    def text(self) -> str:
        """As it is written behind the `=`."""
        sign = "!" if self.is_negated else ""
        if isinstance(self.value, float):
            return f"{sign}{'' if self.how == 'is' else self.how}{number(self.value)}"
        return sign + (self.value if self.how == "like" else literal(self.value))


def read(name: str, text: str) -> Condition:
    """One condition from its two halves; raises `BadQuestion`."""
    field = field_of(name)
    if len(text) > LONGEST:
        raise BadQuestion(f"the text for {name} is longer than {LONGEST} characters")
    is_negated, rest = text.startswith("!"), text.removeprefix("!")
    if rest == EMPTY and field.kind != "vital":
        return Condition(field, "is", "", is_negated)
    if field.is_number:
        how = next((sign for sign in COMPARISONS if rest.startswith(sign)), "")
        return Condition(field, how or "is", _number(name, text, rest.removeprefix(how)), is_negated)
    if not rest:
        raise BadQuestion(f"{name}={text} lacks a value; {name}={EMPTY} asks for those where it is not known")
    pieces = _pieces(rest)
    if any(is_star for _, is_star in pieces):
        glob = "".join(piece if is_star else _escaped(piece) for piece, is_star in pieces)
        return Condition(field, "like", f"\\{glob}" if glob[0] == "!" else glob, is_negated)
    return Condition(field, "is", "".join(piece for piece, _ in pieces), is_negated)


def literal(value: str) -> str:
    """How a text is written that is meant letter by letter."""
    if not value:
        return EMPTY
    text = _escaped(value)
    return f"\\{text}" if text[0] == "!" or text == EMPTY else text


def number(value: float) -> str:
    """A number as short as it goes and still the same."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def canonical(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Pairs in one order and one spelling, so that equal questions have equal addresses; raises `BadQuestion`."""
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        own = found.setdefault(name, [])
        spelt = read(name, text).text
        if spelt not in own:
            own.append(spelt)
    if sum(len(texts) for texts in found.values()) > MOST:
        raise BadQuestion(f"a question takes at most {MOST} conditions")
    return tuple((name, text) for name in ordered(found) for text in sorted(found[name]))


@dataclass(frozen=True, slots=True)
class Where:
    """The predicates of a question's conditions over a row of `events`: those on what holds for a whole view, and those
    on single events, each with its field. `period` is the predicate of app and time."""

    views: tuple[str, ...]
    events: tuple[tuple[Field, str], ...]
    period: str

    def of_rows(self) -> str:
        """Rows that meet every condition themselves."""
        return _all([self.period, *self.views, *(test for _, test in self.events)])

    def of_events(self, types: Sequence[str]) -> str:
        """Events of these types: conditions on fields which those never carry mean views that had such an event."""
        return f"{self.period} AND {self.chosen(types)}"

    def of_views(self) -> str:
        """Rows of views that had one event which meets every condition on single events."""
        return f"{self.period} AND {self.chosen()}"

    def chosen(self, types: Sequence[str] = ()) -> str:
        """The same without app and time: what tells the chosen from the rest. Without `types`, views."""
        own, others = self._apart(types) if types else ([], [test for _, test in self.events])
        return _all([*self.views, *own, *self._met(others)])

    def of_parts(self, types: Sequence[str]) -> tuple[str, str]:
        """What holds for all rows of a view, and what for those events of it that are counted, which are of these types."""
        own, others = self._apart(types)
        return _all([self.period, *self.views, *self._met(others)]), _all(own)

    def _apart(self, types: Sequence[str]) -> tuple[list[str], list[str]]:
        """Tests on single events: those that events of these types can meet (no types: any event), and the others."""
        own: list[str] = []
        others: list[str] = []
        for field, test in self.events:
            can = not types or not field.types or set(types) & set(field.types)
            (own if can else others).append(test)
        return own, others

    def _met(self, tests: list[str]) -> list[str]:
        return [f"{VIEW} IN (SELECT {VIEW} FROM events WHERE {_all([self.period, *tests])})"] if tests else []


def compile_where(pairs: Pairs, bind: Bind, period: str) -> Where:
    """Everything a question is narrowed by, as SQL."""
    by_field: dict[str, list[Condition]] = {}
    for name, text in pairs:
        by_field.setdefault(name, []).append(read(name, text))
    views, events = [], []
    for conditions in by_field.values():
        field = conditions[0].field
        if field.kind == "vital":
            views.append(_by_vital(field, conditions, bind, period))
        elif field.is_of_view:
            views.append(_tests(field.expression(bind), conditions, bind))
        else:
            events.append((field, _tests(field.expression(bind), conditions, bind)))
    return Where(tuple(views), tuple(events), period)


def _all(tests: Sequence[str]) -> str:
    return " AND ".join(tests) or "1"


def _by_vital(field: Field, conditions: list[Condition], bind: Bind, period: str) -> str:
    """Views by their newest report of a vital, the same rule as in latest.sql."""
    name, test = bind(field.sql, "String"), _tests("newest", conditions, bind)
    return (
        f"{VIEW} IN (SELECT view FROM (SELECT {VIEW} AS view, min(visibility = 'hidden') AS is_hidden,"
        f" max(name = {name}) AS is_told, argMaxIf(assumeNotNull(value), age, name = {name}) AS newest FROM events"
        f" WHERE {period} AND type = 'vital' AND value IS NOT NULL"
        f" GROUP BY view) WHERE NOT is_hidden AND is_told AND {test})"
    )


def _tests(value: str, conditions: list[Condition], bind: Bind) -> str:
    """Alternatives joined by OR; what narrows joined to them by AND."""
    either = [c for c in conditions if not c.narrows]
    found = [f"({' OR '.join(_either(value, either, bind))})"] if either else []
    found += [_test(value, condition, bind) for condition in conditions if condition.narrows]
    return " AND ".join(found)


def _either(value: str, conditions: list[Condition], bind: Bind) -> list[str]:
    exact = [c.value for c in conditions if c.how == "is" and isinstance(c.value, str) and not c.field.is_number]
    rest = [c for c in conditions if c.how != "is" or c.field.is_number]
    found = [_test(value, c, bind) for c in rest]
    if len(exact) == 1:
        found.append(f"{value} = {bind(exact[0], 'String')}")
    elif exact:
        found.append(f"{value} IN {bind(exact, 'Array(String)')}")
    return found


def _test(value: str, condition: Condition, bind: Bind) -> str:
    if isinstance(condition.value, float):
        sign = {"is": "="}.get(condition.how, condition.how)
        test = f"ifNull({value} {sign} {bind(condition.value, 'Float64')}, 0)"
        return f"(isNotNull({value}) AND NOT {test})" if condition.is_negated else test
    if condition.field.is_number:  # a number is unknown, or it is not
        return f"{'isNotNull' if condition.is_negated else 'isNull'}({value})"
    if condition.how == "like":
        test = f"match({value}, {bind(pattern(condition.value), 'String')})"
        return f"NOT {test}" if condition.is_negated else test
    return f"{value} {'!=' if condition.is_negated else '='} {bind(condition.value, 'String')}"


def pattern(glob: str) -> str:
    """A glob as a regular expression of RE2: `*` stays within a step of a path, `**` does not, `/**` at the end also
    means the path itself."""
    pieces = _pieces(glob)
    end = ""
    if pieces[-1] == ("**", True) and len(pieces) > 1 and pieces[-2][0].endswith("/") and not pieces[-2][1]:
        end = "(?:/.*)?"
        pieces = [*pieces[:-2], (pieces[-2][0].removesuffix("/"), False)]
    stars = {"*": "[^/]*", "**": ".*"}
    return "(?s)^" + "".join(stars[p] if star else _quoted(p) for p, star in pieces) + end + "$"


def _quoted(text: str) -> str:
    return "".join(c if c.isalnum() or c in "/_-" else f"\\x{{{ord(c):x}}}" for c in text)


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Runs of plain letters, and stars: (piece, is it a star?). Backslashes are resolved."""
    found: list[tuple[str, bool]] = []
    for match in re.finditer(r'\\([\\!*"])|(\*\*?)|(.)', text, re.DOTALL):
        plain = match[1] or match[3]
        if match[2]:
            found.append((match[2], True))
        elif found and not found[-1][1]:
            found[-1] = (found[-1][0] + plain, False)
        else:
            found.append((plain, False))
    return found


def _escaped(text: str) -> str:
    return re.sub(r"[\\*]", r"\\\g<0>", text)


def _number(name: str, text: str, digits: str) -> float:
    try:
        value = TRUTHS[digits.lower()] if digits.lower() in TRUTHS else float(digits)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in digits:
        raise BadQuestion(f"{name}={text} is not a number; write {name}=500, {name}=>500, {name}=<=500 or {name}=!500")
    return value
