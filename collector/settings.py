"""Settings: one frozen object, read once, passed along.

`farside.toml` < environment `FARSIDE_*` < flags. A wrong value is a clear error naming where it came from; `table()`
tells for every setting what is in force and why. Nothing is read at import.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MIB = 1 << 20


class BadSettings(Exception):  # noqa: N818
    """A setting that cannot be used: which one, where it came from, what would be right."""


def is_loopback(origin: str) -> bool:
    """Whether an origin such as `http://localhost:8400` names this very machine."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1_024)
def _matches(pattern: str, origin: str) -> bool:
    """Whether an origin fits `https://*.shop.example`; a star stands for labels of a host name, never for / : or @."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", r"[\w.-]+"), origin) is not None


@lru_cache(maxsize=8_192)
def _route_fits(pattern: str, route: str) -> bool:
    parts = re.split(r"(\*\*|\*)", pattern)
    words = {"**": ".*", "*": "[^/]*"}
    return re.fullmatch("".join(words.get(part) or re.escape(part) for part in parts), route) is not None


@dataclass(frozen=True)
class App:
    """One monitored site. `origins` are exact, or with `*` for one part, or the word `loopback`, or `*` for any."""

    name: str
    keys: tuple[str, ...]
    origins: tuple[str, ...]
    team: str = ""
    owners: tuple[tuple[str, str], ...] = ()  # (route pattern, team); * within one part of a path, ** across parts

    def team_of(self, route: str) -> str:
        """Who owns a route: the first pattern that fits, else the app's team."""
        return next((team for pattern, team in self.owners if _route_fits(pattern, route)), self.team)

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may send beacons for this app."""
        return any(
            pattern in ("*", origin) or (pattern == "loopback" and is_loopback(origin)) or _matches(pattern, origin)
            for pattern in self.origins
        )


DEMO = App("demo", keys=("demo",), origins=("loopback",), team="shop")


@dataclass(frozen=True)
class Settings:
    """Everything that can be chosen. The comment beside each field is its documentation."""

    host: str = "127.0.0.1"  # address to listen on
    port: int = 8317  # port to listen on
    data: Path = Path("farside-data")  # folder for the spool and the embedded store
    store: str = ""  # chdb:///path or clickhouse://user:pw@host:8443/farside?secure=1; empty: chDB in the data folder
    demo: bool = True  # whether the app `demo` (key `demo`, loopback origins) exists
    otlp_token: str = ""  # bearer token backends must send; empty: only loopback peers may send spans
    trusted_hops: int = 0  # how many proxies of yours stand in front; the client's address is read behind them
    rate_per_network: int = 50  # beacons a second from one network (IPv4 /24, IPv6 /56), ten seconds' worth at once
    rate_per_key: int = 2000  # beacons a second for one write key, ten seconds' worth at once
    country_header: str = ""  # header in which a CDN of yours names the visitor's country, such as CF-IPCountry
    place_database: Path = Path()  # a country database of yours in MaxMind's format; none when empty
    limit_loopback: bool = False  # whether rates also count for clients on this machine
    spool_cap_mib: int = 4096  # beyond this the door answers 503 until the store has caught up
    seal_after_ms: int = 300  # age at which a spool file is handed to the loader
    apps: dict[str, App] = field(default_factory=dict)  # monitored sites: keys, origins, team
    sources: dict[str, str] = field(default_factory=dict)  # where each value came from

    @cached_property
    def by_key(self) -> dict[str, App]:
        """Write key → app."""
        return {key: app for app in self.apps.values() for key in app.keys}

    @property
    def spool(self) -> Path:
        """The spool's folder."""
        return self.data / "spool"

    @property
    def store_url(self) -> str:
        """The store's address, embedded unless told otherwise."""
        return self.store or f"chdb://{(self.data / 'chdb').resolve()}"

    def table(self) -> list[tuple[str, str, str]]:
        """Rows (setting, value, source), secrets hidden; what `farside settings` prints."""
        rows = []
        for f in fields(self):
            if f.name == "sources":
                continue
            value = getattr(self, f.name)
            shown = "(set)" if f.name == "otlp_token" and value else _hide_password(value)
            if f.name == "apps":
                shown = ", ".join(value) or "none"
            rows.append((f.name, shown, self.sources.get(f.name, "default")))
        return rows


def _hide_password(value: object) -> str:
    text = str(value)
    parts = urlsplit(text) if "://" in text else None
    return text.replace(f":{parts.password}@", ":…@") if parts and parts.password else text


def _convert(name: str, value: object, source: str) -> Any:
    kind = {f.name: f.type for f in fields(Settings)}[name]
    try:
        if kind is bool:
            text = str(value).lower()
            if text not in {"true", "false", "1", "0"}:
                raise ValueError
            return text in {"true", "1"}
        if kind is int:
            number = int(str(value))
            if number < 0:
                raise ValueError
            return number
        return Path(str(value)) if kind is Path else str(value)
    except ValueError:
        raise BadSettings(f"{source}: {name} = {value!r} is not a {getattr(kind, '__name__', kind)}") from None


def _app(name: str, table: Mapping[str, Any], source: str) -> App:
    unknown = set(table) - {"keys", "origins", "team", "owners"}
    if unknown:
        known = "keys, origins, team, owners"
        raise BadSettings(f"{source}: [apps.{name}] has unknown settings {sorted(unknown)}; known: {known}")
    for required in ("keys", "origins"):
        value = table.get(required)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            raise BadSettings(f'{source}: [apps.{name}] needs {required} = ["…"], a list with at least one text')
    owners = table.get("owners", {})
    if not isinstance(owners, dict) or not all(isinstance(team, str) for team in owners.values()):
        raise BadSettings(f'{source}: [apps.{name}] owners is a table such as {{"/checkout/**" = "payments"}}')
    team = str(table.get("team", ""))
    return App(name, tuple(table["keys"]), tuple(table["origins"]), team, tuple(owners.items()))


def load(
    config: Path | None = None, environ: Mapping[str, str] = os.environ, flags: Mapping[str, object] | None = None
) -> Settings:
    """Read the settings. `config` defaults to `farside.toml` in the working folder, if there is one."""
    path = config or Path("farside.toml")
    known = {f.name for f in fields(Settings)} - {"sources", "apps"}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    apps: dict[str, App] = {}

    def put(name: str, value: object, source: str) -> None:
        if name not in known:
            raise BadSettings(f"{source}: unknown setting {name!r}; known: {', '.join(sorted(known))}, apps")
        values[name], sources[name] = _convert(name, value, source), source

    if path.exists():
        try:
            table = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise BadSettings(f"{path}: {error}") from None
        for name, app in table.pop("apps", {}).items():
            apps[name] = _app(name, app, str(path))
        for name, value in table.items():
            put(name, value, str(path))
    elif config:
        raise BadSettings(f"{config}: no such file")
    for variable, value in environ.items():
        if variable.startswith("FARSIDE_") and (name := variable[8:].lower()) in known:
            put(name, value, variable)
    for name, flag in (flags or {}).items():
        if flag is not None:
            put(name, flag, f"--{name}")

    settings = Settings(**values)
    if settings.demo:
        apps.setdefault(DEMO.name, DEMO)
    _check_keys(apps)
    return replace(settings, apps=apps, sources=sources)


def _check_keys(apps: Mapping[str, App]) -> None:
    seen: dict[str, str] = {}
    for app in apps.values():
        for key in app.keys:
            if key in seen:
                raise BadSettings(f"apps {seen[key]!r} and {app.name!r} have the same write key {key!r}")
            seen[key] = app.name
