"""Limits: how often a network or a key may knock, in memory that no attacker can grow or reset.

Every caller has a place in four rows of a fixed table, found by keyed hashes. A place holds one number: the time at which
its bucket would be full again (GCRA). A caller is over its rate only if all four of its places are, so a stranger's
traffic rarely counts against it, and since nothing is ever evicted, inventing new addresses wins no fresh bucket.
"""

import secrets
from array import array
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address

ROWS = 4
PLACES = 1 << 14


class Limiter:
    """At most `rate_per_s` in the long run, and `burst` at once, for each caller; time in seconds, any clock."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._interval = 1 / rate_per_s if rate_per_s else 0.0  # a rate of 0 is no limit
        self._tolerance = burst * self._interval
        self._full_at = array("d", bytes(8 * ROWS * PLACES))
        self._secret = secrets.token_bytes(16)

    def admits(self, caller: bytes, now_s: float) -> bool:
        """Count one knock; False when it is over the limit (and then it is not counted)."""
        digest = blake2b(caller, digest_size=8, key=self._secret).digest()
        places = [
            row * PLACES + int.from_bytes(digest[2 * row : 2 * row + 2], "little") % PLACES for row in range(ROWS)
        ]
        full_at = max(min(self._full_at[place] for place in places), now_s)
        if full_at - now_s + self._interval > self._tolerance + 1e-9:
            return False
        # Only places that lag behind move up: a shared one that is further along says nothing about this caller.
        for place in places:
            self._full_at[place] = max(self._full_at[place], full_at + self._interval)
        return True


@lru_cache(maxsize=8_192)
def network_of(address: str) -> bytes:
    """The network a limit is counted for: /24 of IPv4, /56 of IPv6, what providers hand to one customer or fewer."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address.encode()[:64]
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.packed[:3] if isinstance(parsed, IPv4Address) else parsed.packed[:7]


@lru_cache(maxsize=8_192)
def is_loopback_address(address: str) -> bool:
    """Whether this is this very machine."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback


def client_of(peer: str, forwarded_for: str, forwarded: str, trusted_hops: int) -> str:
    """The client's address behind `trusted_hops` proxies of ours.

    Each proxy appends whom it saw, so the entry our outermost one wrote is the `trusted_hops`-th from the right;
    whatever stands left of it was written by strangers. RFC 7239's header wins over X-Forwarded-For when both came.
    """
    if not trusted_hops:
        return peer
    if forwarded:
        hops = [_for_of(element) for element in forwarded.split(",")]
    else:
        hops = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    if len(hops) < trusted_hops:
        return peer
    return _without_port(hops[-trusted_hops])


def _for_of(element: str) -> str:
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return "unknown"


def _without_port(node: str) -> str:
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node
