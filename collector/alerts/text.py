"""Text: rules from YAML and back. A mistake names file, line, field and value, and says what would be right.

Only the plain part of YAML is read: no tags, no anchors, and `NO` is a country rather than a no.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

from collector.alerts.rules import Moment, Rule, Span
from collector.alerts.sense import REMEDIES, complaints

LONGEST = 262_144


class BadRules(Exception):  # noqa: N818
    """Text that cannot be used; each complaint is one sentence with its place."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class _Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2's idea of what a plain word is: `no` is a text, `10:05` is not a number, a date is a text."""


_Plain.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


@dataclass
class _Tree:
    """A document as plain things, and the line of each by its path."""

    file: str
    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def build(self, node: yaml.Node, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, f"{path}[{nr}]") for nr, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        kind = node.tag.rsplit(":", 1)[-1]
        if kind not in ("str", "int", "float", "bool", "null"):
            self.complain(path, node.value, f"the tag {node.tag} is not understood here")
            return None
        if kind in ("int", "float"):
            return int(node.value) if kind == "int" else float(node.value)
        return {"bool": node.value == "true", "null": None}.get(kind, node.value)

    def _pairs(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, Any]]:
        met = set()
        for key, child in node.value:
            name = str(key.value)
            if name in met:
                self.complain(path, name, f"{name!r} is said twice", key.start_mark.line + 1)
            met.add(name)
            yield name, self.build(child, f"{path}.{name}")
            self.lines[f"{path}.{name}"] = key.start_mark.line + 1

    def line(self, path: str) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = re.sub(r"(\.[^.\[\]]+|\[[^\]]*\])$", "", path) if path != "$" else ""
        return self.lines.get(path, 1)

    def complain(self, path: str, value: object, sentence: str, line: int = 0) -> None:
        where = re.sub(r"^\$(\[\d+\])?\.?", "", path)
        said = f"{where} = {_shown(value)}: " if where else ""
        self.complaints.append(f"{self.file}:{line or self.line(path)}: {said}{sentence}")


def read(text: str, file: str = "rule") -> list[Rule]:
    """All rules of a text; raises `BadRules` with every mistake it has."""
    tree = _parse(text, file)
    if tree.value is None:
        return []
    if isinstance(tree.value, dict):
        tree.value = [tree.value]
        tree.lines |= {path.replace("$", "$[0]", 1): line for path, line in tree.lines.items()}
    if not isinstance(tree.value, list):
        raise BadRules([f"{file}:1: a file of rules is a list of them, each beginning with `- id: some-name`"])
    rules = [rule for nr, item in enumerate(tree.value) if (rule := _rule(tree, item, f"$[{nr}]")) is not None]
    names = [rule.id for rule in rules]
    for nr, rule in enumerate(rules):
        if rule.id in names[:nr]:
            tree.complain(f"$[{nr}].id", rule.id, "another rule has this id; give each rule its own")
    if tree.complaints:
        raise BadRules(tree.complaints)
    return rules


def _parse(text: str, file: str) -> _Tree:
    tree = _Tree(file)
    if len(text) > LONGEST:
        raise BadRules([f"{file}:1: longer than {LONGEST // 1024} KiB; split it into several files"])
    try:
        aliases = [token for token in yaml.scan(text, _Plain) if isinstance(token, yaml.AliasToken | yaml.AnchorToken)]
        if aliases:
            line = aliases[0].start_mark.line + 1
            raise BadRules([f"{file}:{line}: anchors and aliases are not read; write the rule out"])
        node = yaml.compose(text, _Plain)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise BadRules([f"{file}:{mark.line + 1 if mark else 1}: not YAML: {problem}"]) from None
    if node is not None:
        tree.value = tree.build(node, "$")
    if tree.complaints:
        raise BadRules(tree.complaints)
    return tree


def _rule(tree: _Tree, item: Any, path: str) -> Rule | None:
    if not isinstance(item, dict):
        tree.complain(path, item, f"{_shown(item)} is not a rule; a rule begins with `- id: some-name`")
        return None
    try:
        rule = msgspec.convert(item, Rule, dec_hook=_decode)
    except msgspec.ValidationError as error:
        _explain(tree, item, path, str(error))
        return None
    for place, value, sentence in complaints(rule):
        tree.complain(f"{path}.{place}" if place else path, value, sentence)
    return rule


def _decode(kind: type, value: object) -> object:
    if kind in (Span, Moment):
        if not isinstance(value, str):
            raise ValueError("not a text")
        return kind(value)
    raise NotImplementedError(kind)


def _explain(tree: _Tree, item: Mapping[str, Any], path: str, error: str) -> None:
    """msgspec's sentence as one of ours."""
    reason, _, at = error.partition(" - at `$")
    inner = at.rstrip("`")
    place = f"{path}{inner}"
    if unknown := re.search(r"unknown field `(.+)`", reason):
        name = unknown[1]
        known = _fields_at(inner)
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        tree.complain(f"{place}.{name}", _at(item, f"{inner}.{name}"), f"there is no {name!r} here; {hint}")
        return
    if missing := re.search(r"missing required field `(.+)`", reason):
        name = f"{inner}.{missing[1]}".lstrip(".")
        tree.complain(place, None, f"{name} is missing; {REMEDIES.get(name, 'say it')}", tree.line(path))
        return
    field_name = re.sub(r"\[[^\]]*\]", "", inner).lstrip(".")
    remedy = REMEDIES.get(field_name, reason[:1].lower() + reason[1:])
    tree.complain(place.replace("[...]", ""), _at(item, inner.replace("[...]", "")), f"it should be {remedy}")


def _fields_at(inner: str) -> list[str]:
    kind: Any = Rule
    for name in re.findall(r"\.(\w+)", inner):
        kind = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}[name]
        found = re.findall(r"\b(Window|Fire|Clear|NoData|Burn|Expectation)\b", str(kind))
        kind = getattr(__import__("collector.alerts.rules", fromlist=["Rule"]), found[0]) if found else Rule
    return [f.encode_name for f in msgspec.structs.fields(kind)]


def _at(item: Any, inner: str) -> Any:
    for name, nr in re.findall(r"\.(\w+)|\[(\d+)\]", inner):
        try:
            item = item[int(nr)] if nr else item[name]
        except (KeyError, IndexError, TypeError):
            return None
    return item


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def write(rule: Rule) -> str:
    """A rule as text: what differs from the defaults, in the order in which it is documented."""
    plain = msgspec.to_builtins(rule, enc_hook=str)
    defaults = msgspec.to_builtins(Rule(id="", where={}), enc_hook=str)
    kept = {name: _without_defaults(value, defaults[name]) for name, value in plain.items() if value != defaults[name]}
    text = yaml.safe_dump([kept], sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return str(text)


def _without_defaults(value: Any, default: Any) -> Any:
    if isinstance(value, dict) and isinstance(default, dict):
        return {name: own for name, own in value.items() if own != default.get(name)} or value
    return value
