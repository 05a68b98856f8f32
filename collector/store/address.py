"""Address: where the store is. `chdb:///folder` lives in this process, `clickhouse://…` is a server spoken to over HTTP.

A password leaves an address towards its server only: neither `repr`, nor `str`, nor a complaint about it shows one.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from collector.settings import without_password

DATABASE = "farside"
KNOWN = ("secure", "verify", "ca_cert", "connect_timeout")
NATIVE_PORTS = {9000: 8123, 9440: 8443}
SECURE_PORTS = (443, 8443)


class BadAddress(ValueError):  # noqa: N818
    """An address that names no store; the sentence says what would."""


@dataclass(frozen=True)
class Address:
    """One store. `folder` is set for the embedded engine, the rest for a server."""

    folder: str = ""
    host: str = ""
    port: int = 0
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = DATABASE
    secure: bool = False
    verify: bool = True
    ca_cert: str = ""
    connect_timeout_s: int = 5

    @property
    def is_embedded(self) -> bool:
        """Whether the engine lives in this process."""
        return bool(self.folder)

    def __str__(self) -> str:
        if self.is_embedded:
            return f"chdb://{self.folder}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"clickhouse://{self.user}@{host}:{self.port}/{self.database}" + ("?secure=1" if self.secure else "")


def parse(url: str, password: str = "") -> Address:
    """Read an address; `password` is the one from the environment or a file and beats one in the URL."""
    scheme, _, rest = url.partition("://")
    if scheme == "chdb":
        if not rest:
            raise BadAddress("chdb:// names no folder; write chdb:///path/to/folder")
        return Address(folder=rest)
    if scheme != "clickhouse":
        raise BadAddress(
            f"the store's address begins with {scheme!r}; there are chdb:///path and"
            " clickhouse://user@host:8443/farside?secure=1"
        )
    try:
        return _server(url, password)
    except ValueError as error:
        raise BadAddress(f"the store's address {without_password(url)!r}: {error}") from None


def _server(url: str, password: str) -> Address:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("it names no host; write clickhouse://user@host:8443/farside?secure=1")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - set(KNOWN):
        raise ValueError(f"unknown options {', '.join(sorted(unknown))}; known: {', '.join(KNOWN)}")
    database = parts.path.strip("/") or DATABASE
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", database):
        raise ValueError(f"{database!r} is no name for a database; use letters, digits and _")
    secure = _truth("secure", options) if "secure" in options else parts.port in SECURE_PORTS
    port = parts.port or (8443 if secure else 8123)
    if port in NATIVE_PORTS:
        raise ValueError(f"port {port} speaks ClickHouse's native protocol; name the HTTP port, {NATIVE_PORTS[port]}")
    return Address(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or "default"),
        password=password or unquote(parts.password or ""),
        database=database,
        secure=secure,
        verify=_truth("verify", options) if "verify" in options else True,
        ca_cert=options.get("ca_cert", ""),
        connect_timeout_s=_seconds(options.get("connect_timeout", "5")),
    )


def _truth(name: str, options: dict[str, str]) -> bool:
    if options[name] not in ("0", "1", "true", "false"):
        raise ValueError(f"{name}={options[name]} is neither 1 nor 0")
    return options[name] in ("1", "true")


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 300):
        raise ValueError(f"connect_timeout={text} is not a number of seconds from 1 to 300")
    return int(text)
