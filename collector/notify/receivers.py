"""Receivers: who hears of what, from `receivers.toml`; read again when it changes.

A secret stands in the file, in another file (`url_file`) or in the environment (`url_env`). None of them is ever logged,
shown on a page or stored: a receiver's `repr` and every sentence about it know its name and kind only.
"""

import logging
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector.alerts.rules import Rule
from collector.settings import BadSettings, Settings

log = logging.getLogger("farside.notify")

# kind → its settings: needed, and possible besides those of all kinds
KINDS = {
    "webhook": (("url",), ("secret",)),
    "slack": (("url",), ()),
    "smtp": (("host", "from", "to"), ("port", "security", "user", "password")),
    "alertmanager": (("url",), ("user", "password")),
    "apprise": (("urls",), ()),
}
COMMON = ("kind", "owners")
LISTS = ("to", "owners", "urls")
SECURITY = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class Receiver:
    """One receiver. `values` hold secrets and are never shown."""

    name: str
    kind: str
    owners: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def hidden(self, text: str) -> str:
        """A text without this receiver's secrets, such as what a library says when it fails."""
        for name, value in self.values.items():
            if name in ("to", "from", "host", "security", "port"):
                continue
            for secret in value if isinstance(value, list) else [value]:
                text = text.replace(str(secret), f"({name})")
                parts = urlsplit(str(secret)) if "://" in str(secret) else None
                if parts and len(parts.path) > 1:
                    text = text.replace(parts.path, "/…")
        return text


class Receivers:
    """All receivers of a file by name."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self.known: dict[str, Receiver] = {}
        self.problem = ""

    @classmethod
    def of_settings(cls, settings: Settings) -> "Receivers":
        """Those of the file that the settings name, which is in the data folder unless they say otherwise."""
        return cls(settings.receivers if settings.receivers != Path() else settings.data / "receivers.toml")

    def refresh(self) -> None:
        """Read the file again if it changed; one that cannot be used changes nothing, and `problem` says why."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            self.known, self.problem, self._stamp = {}, "", None
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.known, self.problem = read(self._file), ""
        except BadSettings as error:
            self.problem = str(error)
            log.error("Keeping the receivers as they were: %s", error)

    def of(self, rule: Rule) -> list[Receiver]:
        """Who hears of a rule: those it names, else its owner's, else those who have no owners and hear of everything.

        A name that nobody bears must not silence a rule: then it is as if it named none.
        """
        if named := [self.known[name] for name in rule.notify if name in self.known]:
            return named
        own = [receiver for receiver in self.known.values() if rule.owner and rule.owner in receiver.owners]
        return own or [receiver for receiver in self.known.values() if not receiver.owners]

    def complaints(self, rules: Iterable[Rule]) -> list[str]:
        """A sentence for each name in `notify` that no receiver bears; none where there are no receivers, as in CI."""
        return [
            f"rule {rule.id}: notify names {name!r}, and {self._file.name} has no such receiver"
            f" (it has {', '.join(sorted(self.known))}); name one of those, or it is as if the rule named none"
            for rule in rules
            for name in rule.notify
            if self.known and name not in self.known
        ]


def read(file: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Receiver]:
    """The receivers of a file; raises `BadSettings`, without a secret in it."""
    try:
        table = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadSettings(f"{file}: {error}") from None
    found = {}
    for name, values in table.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name) or not isinstance(values, dict):
            raise BadSettings(f"{file}: {name!r} is not a receiver; a receiver is a table such as [pager]")
        found[name] = _receiver(name, values, f"{file}: [{name}]", environ)
    return found


def _receiver(name: str, given: Mapping[str, Any], where: str, environ: Mapping[str, str]) -> Receiver:
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadSettings(f"{where} kind = {kind!r}; there are {', '.join(KINDS)}")
    needed, possible = KINDS[kind]
    values: dict[str, Any] = {}
    for said, value in given.items():
        setting = re.sub(r"_(file|env)$", "", said)
        if setting not in (*needed, *possible, *COMMON):
            raise BadSettings(f"{where} has no {said!r}; a {kind} has {', '.join((*needed, *possible, *COMMON))}")
        values[setting] = _value(said, setting, value, where, environ)
    for setting in needed:
        if not values.get(setting):
            raise BadSettings(f"{where} needs {setting}, or {setting}_file or {setting}_env that say where it is")
    _check(kind, values, where)
    owners = tuple(values.pop("owners", ()))
    values.pop("kind")
    return Receiver(name, str(kind), owners, values)


def _value(said: str, setting: str, value: Any, where: str, environ: Mapping[str, str]) -> Any:
    if said != setting:
        if not isinstance(value, str):
            raise BadSettings(f"{where} {said} is not a text")
        try:
            value = Path(value).read_text().strip() if said.endswith("_file") else environ[value]
        except OSError as error:
            raise BadSettings(f"{where} {said} = {value!r}: {error.strerror}") from None
        except KeyError:
            raise BadSettings(f"{where} {said}: the environment has no {value}") from None
        value = value.split() if setting in LISTS else value
    if setting in LISTS and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise BadSettings(f'{where} {setting} is a list of texts, such as ["…"]')
    return value


def _check(kind: str, values: dict[str, Any], where: str) -> None:
    if kind in ("webhook", "slack", "alertmanager"):
        parts = urlsplit(str(values["url"]))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadSettings(f"{where} url is not an address that begins with https:// or http://")
    if kind == "smtp":
        security = values.setdefault("security", "starttls")
        if security not in SECURITY:
            raise BadSettings(f"{where} security = {security!r}; there are {', '.join(SECURITY)}")
        if not isinstance(values.setdefault("port", SECURITY[security]), int):
            raise BadSettings(f"{where} port = {values['port']!r} is not a number")
