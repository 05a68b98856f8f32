"""Settings: one frozen object, read once, passed along.

`farside.toml` < environment `FARSIDE_*` < flags. A wrong value is a clear error naming where it came from; `table()`
tells for every setting what is in force and why. Nothing is read at import.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from collector.origins import as_sent, is_on

MIB = 1 << 20


class BadSettings(Exception):  # noqa: N818
    """A setting that cannot be used: which one, where it came from, what would be right."""


@dataclass(frozen=True)
class Remote:
    """What the snippet of an app may do, as `GET /c/KEY` tells it. `version` is empty while all stands at its default."""

    enabled: bool = True
    sample_n: int = 1
    tracing: bool = True
    captures: Mapping[str, bool] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """Changes when anything else does."""
        if self == Remote():
            return ""
        return sha256(
            json.dumps([self.enabled, self.sample_n, self.tracing, dict(self.captures)]).encode()
        ).hexdigest()[:12]

    def as_json(self) -> dict[str, object]:
        """What the snippet reads."""
        return {
            "version": self.version,
            "enabled": self.enabled,
            "sample_n": self.sample_n,
            "tracing": self.tracing,
            "captures": dict(self.captures),
        }


CAPTURES = ("views", "vitals", "fetches", "feeds", "resources", "errors", "longframes", "actions", "marks")


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

    remote: Remote = field(default_factory=Remote)
    retention_days: int = 0  # shorter than everybody's; 0: the same

    def team_of(self, route: str) -> str:
        """Who owns a route: the first pattern that fits, else the app's team."""
        for pattern, team in self.owners:
            if _route_fits(pattern, route):
                return team
        return self.team

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may send beacons for this app."""
        return is_on(self.origins, origin)


DEMO = App("demo", keys=("demo",), origins=("loopback",), team="shop")
ROLES = ("ingest", "load", "pages", "alerts")


class Apps(Mapping[str, App]):
    """The monitored sites by name, read again when their file has changed, or has come into being: keys are rotated while
    the door is open, and the first is often written then."""

    def __init__(self, apps: Iterable[App], file: Path | None = None, with_demo: bool = False) -> None:
        self._file = file
        self._with_demo = with_demo
        self._read_at = file.stat().st_mtime_ns if file and file.exists() else 0
        self.problem = ""
        """Why the file as it is now cannot be used; empty when it can."""
        self._put(apps)

    def _put(self, apps: Iterable[App]) -> None:
        found = {app.name: app for app in apps}
        if self._with_demo:
            found.setdefault(DEMO.name, DEMO)
        self._by_key = _by_key(found)
        self._apps = found

    def with_key(self, key: str) -> App | None:
        """The app a write key belongs to."""
        return self._by_key.get(key)

    def refresh(self) -> None:
        """Read the file again if it changed; raises `BadSettings` and changes nothing when it cannot be used."""
        try:
            changed_at = self._file.stat().st_mtime_ns if self._file else 0
        except FileNotFoundError:
            self._read_at, self.problem = 0, ""
            return
        if self._file and changed_at != self._read_at:
            self._read_at = changed_at
            try:
                self._put(_apps_in(_toml(self._file), str(self._file)))
            except BadSettings as error:
                self.problem = str(error)
                raise
            self.problem = ""

    def __getitem__(self, name: str) -> App:
        return self._apps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._apps)

    def __len__(self) -> int:
        return len(self._apps)


def _by_key(apps: Mapping[str, App]) -> dict[str, App]:
    found: dict[str, App] = {}
    for app in apps.values():
        for key in app.keys:
            if key in found:
                raise BadSettings(f"apps {found[key].name!r} and {app.name!r} have the same write key {key!r}")
            found[key] = app
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: {error}") from None


def _apps_in(table: dict[str, Any], source: str) -> list[App]:
    return [_app(name, app, source) for name, app in table.pop("apps", {}).items()]


@dataclass(frozen=True)
class Settings:
    """Everything that can be chosen. The comment beside each field is its documentation."""

    host: str = "127.0.0.1"  # address to listen on
    port: int = 8317  # port to listen on
    data: Path = Path("farside-data")  # folder for the spool and the embedded store
    store: str = ""  # chdb:///path or clickhouse://user:pw@host:8443/farside?secure=1; empty: chDB in the data folder
    store_password: str = ""  # the server's password, instead of one in its address; prefer FARSIDE_STORE_PASSWORD
    store_password_file: Path = Path()  # or a file that holds it
    cluster: str = ""  # name of the servers' cluster: tables are replicated and sharded over it
    demo: bool = True  # whether the app `demo` (key `demo`, loopback origins) exists
    otlp_token: str = ""  # bearer token backends must send; empty: only loopback peers may send spans
    trusted_hops: int = 0  # how many proxies of yours stand in front; the client's address is read behind them
    rate_per_network: int = 50  # beacons a second from one network (IPv4 /24, IPv6 /56), ten seconds' worth at once
    rate_per_key: int = 2000  # beacons a second for one write key, ten seconds' worth at once
    traces_table: str = (
        ""  # a table that an OpenTelemetry Collector writes, such as otel.otel_traces; read beside our own
    )
    country_header: str = ""  # header in which a CDN of yours names the visitor's country, such as CF-IPCountry
    place_database: Path = Path()  # a country database of yours in MaxMind's format; none when empty
    limit_loopback: bool = False  # whether rates also count for clients on this machine
    spool_cap_mib: int = 4096  # beyond this the door answers 503 until the store has caught up
    seal_after_ms: int = 300  # age at which a spool file is handed to the loader
    people: Path = (
        Path()
    )  # file of those who may sign in, written by `farside people`; empty: people.toml in the data folder
    hosts: str = ""  # names under which pages may be asked for, besides localhost, addresses and `host`
    private: str = ""  # host:port for pages, API and metrics; then `host` and `port` serve the public routes alone
    proxy_header: str = ""  # header in which a proxy of yours names who signed in there, such as X-Forwarded-User
    proxies: str = ""  # addresses or networks of the proxies that are believed about it, such as 127.0.0.1,10.0.0.0/8
    proxy_role: str = (
        "viewer"  # what somebody may do whom the proxy names and the file of people does not: viewer, editor
    )
    api_token: str = ""  # bearer token of the read API; empty: only people who are signed in may ask it
    deploy_token: str = ""  # bearer token with which CI posts markers and source maps; empty: only editors may
    retention_days: int = 90  # how long events are kept; 0 is for ever
    span_retention_days: int = 90  # how long spans are kept, the browser's and the backends'
    ledger_retention_days: int = 400  # how long outcomes are counted back
    rules: Path = Path()  # folder of alert rules (*.yaml), read again on change; empty: rules in the data folder
    receivers: Path = Path()  # file of those who hear of alerts; empty: receivers.toml in the data folder
    demo_rules: bool = False  # whether the rules that come with Farside watch the app `demo`
    public_url: str = ""  # address under which people reach the pages, for links in notices; empty: host and port
    roles: str = (
        "ingest,load,pages,alerts"  # what this process does; `ingest` alone is one more door before the same spool
    )
    apps: Apps = field(default_factory=lambda: Apps(()))  # monitored sites: keys, origins, team, owners by route
    sources: dict[str, str] = field(default_factory=dict)  # where each value came from

    def has(self, role: str) -> bool:
        """Whether this process has a role."""
        return role in self.roles.split(",")

    @property
    def spool(self) -> Path:
        """The spool's folder."""
        return self.data / "spool"

    @property
    def people_file(self) -> Path:
        """Where it stands who may sign in."""
        return self.data / "people.toml" if self.people == Path() else self.people

    @property
    def private_address(self) -> tuple[str, int]:
        """Where pages are served: an address of their own, or that of everything else."""
        if not self.private:
            return self.host, self.port
        host, _, port = self.private.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def store_secret(self) -> str:
        """The server's password, empty when its address holds it or none is needed. Raises `BadSettings`."""
        if self.store_password or self.store_password_file == Path():
            return self.store_password
        try:
            return self.store_password_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(
                f"store_password_file = {str(self.store_password_file)!r} cannot be read: {error}"
            ) from None

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
            value = "(not set)" if value == Path() else value
            shown = "(set)" if f.name.endswith(("_token", "_password")) and value else without_password(str(value))
            if f.name == "apps":
                shown = ", ".join(value) or "none"
            rows.append((f.name, shown, self.sources.get(f.name, "default")))
        return rows


def without_password(url: str) -> str:
    """The same URL, fit to be shown; also when it is so broken that nothing can parse it."""
    return re.sub(r"(://[^/:@?#]*):.*@", r"\1:…@", url)


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
    known = "keys, origins, team, owners, remote, retention_days"
    if unknown := set(table) - set(known.split(", ")):
        raise BadSettings(f"{source}: [apps.{name}] has unknown settings {sorted(unknown)}; known: {known}")
    for required in ("keys", "origins"):
        value = table.get(required)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            raise BadSettings(f'{source}: [apps.{name}] needs {required} = ["…"], a list with at least one text')
    owners = table.get("owners", {})
    if not isinstance(owners, dict) or not all(isinstance(team, str) for team in owners.values()):
        raise BadSettings(f'{source}: [apps.{name}] owners is a table such as {{"/checkout/**" = "payments"}}')
    team = str(table.get("team", ""))
    remote = _remote(name, table.get("remote", {}), source)
    days = table.get("retention_days", 0)
    if type(days) is not int or days < 0:
        raise BadSettings(f"{source}: [apps.{name}] retention_days = {days!r} is not a number of days")
    try:
        origins = tuple(map(as_sent, table["origins"]))
    except ValueError as error:
        raise BadSettings(f"{source}: [apps.{name}] origins: {error}") from None
    return App(name, tuple(table["keys"]), origins, team, tuple(owners.items()), remote, days)


def _remote(name: str, table: Mapping[str, Any], source: str) -> Remote:
    where = f"{source}: [apps.{name}.remote]"
    known: dict[str, type] = {"enabled": bool, "sample_n": int, "tracing": bool, "captures": dict}
    for setting, value in table.items():
        if setting not in known:
            raise BadSettings(f"{where} has an unknown setting {setting!r}; known: {', '.join(known)}")
        if type(value) is not known[setting]:
            raise BadSettings(f"{where} {setting} = {value!r} is not a {known[setting].__name__}")
    remote = Remote(**table)
    if not 1 <= remote.sample_n <= 65_535:
        raise BadSettings(f"{where} sample_n = {remote.sample_n} is not between 1 (everybody) and 65535")
    for capture, wanted in remote.captures.items():
        if capture not in CAPTURES or not isinstance(wanted, bool):
            raise BadSettings(
                f"{where} captures.{capture} = {wanted!r}: known are true and false for {', '.join(CAPTURES)}"
            )
    return remote


def load(
    config: Path | None = None, environ: Mapping[str, str] = os.environ, flags: Mapping[str, object] | None = None
) -> Settings:
    """Read the settings. `config` defaults to `farside.toml` in the working folder, if there is one."""
    path = config or Path("farside.toml")
    known = {f.name for f in fields(Settings)} - {"sources", "apps"}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    apps: list[App] = []

    def put(name: str, value: object, source: str) -> None:
        if name not in known:
            raise BadSettings(f"{source}: unknown setting {name!r}; known: {', '.join(sorted(known))}, apps")
        values[name], sources[name] = _convert(name, value, source), source

    if path.exists():
        table = _toml(path)
        apps = _apps_in(table, str(path))
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
    if unknown := set(settings.roles.split(",")) - set(ROLES):
        raise BadSettings(f"{sources['roles']}: unknown roles {sorted(unknown)}; known: {', '.join(ROLES)}")
    if not settings.has("load") and (settings.has("pages") or settings.has("alerts")):
        raise BadSettings(
            f"{sources['roles']}: pages and alerts see data up to the loader's watermark: give them `load` as well"
        )
    _check_private_side(settings, sources)
    found = Apps(apps, path, with_demo=settings.demo)
    return replace(settings, apps=found, sources=sources)


def _check_private_side(settings: Settings, sources: Mapping[str, str]) -> None:
    """Refuse what would leave the pages open by mistake, or closed for ever."""
    if settings.private and not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}", settings.private):
        raise BadSettings(
            f"{sources['private']}: private = {settings.private!r} is not host:port, such as 127.0.0.1:8318"
        )
    if settings.proxy_header and not settings.proxies:
        raise BadSettings(
            f"{sources['proxy_header']}: proxy_header without proxies would believe anybody; name the proxy's address"
        )
    if settings.proxy_role not in ("viewer", "editor"):
        raise BadSettings(f"{sources['proxy_role']}: proxy_role = {settings.proxy_role!r}; there are viewer and editor")
    for network in words(settings.proxies):
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise BadSettings(
                f"{sources['proxies']}: proxies names {network!r}, which is neither an address nor a network"
            ) from None


def words(text: str) -> list[str]:
    """A setting that is a list: its words, which commas part."""
    return [word for part in text.split(",") if (word := part.strip())]
