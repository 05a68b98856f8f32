"""Origins: which pages may speak for an app."""

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\\\s?#@]+")


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
def is_on(patterns: tuple[str, ...], origin: str) -> bool:
    """Whether an origin is on an app's list; a star stands for labels of a host name, never for / : or @."""
    if "*" in patterns or ("loopback" in patterns and is_loopback(origin)):
        return True
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", r"[\w.-]+"), origin) for pattern in patterns)


def as_sent(given: str) -> str:
    """An origin as browsers send it: in small letters, without a slash at its end and the port that goes without saying.
    Raises `ValueError` for what no browser ever sends."""
    origin = given.rstrip("/").lower()
    for scheme, port in (("https://", ":443"), ("http://", ":80")):
        if origin.startswith(scheme):
            origin = origin.removesuffix(port)
    if origin in {"*", "loopback", "null"} or _ORIGIN.fullmatch(origin):
        return origin
    raise ValueError(
        f'{given!r} is no origin: scheme, host and port, such as "https://shop.example" or "http://10.0.0.5:8080"'
    )
