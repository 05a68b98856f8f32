"""Rate limits: fair to the quiet, firm with the loud, and of a size that does not change."""

import random
import sys

import pytest

from collector.limits import Limiter, client_of, network_of


def test_a_burst_then_the_rate() -> None:
    limiter = Limiter(rate_per_s=10, burst=20)
    assert sum(limiter.admits(b"a", 100.0) for _ in range(100)) == 20
    assert not limiter.admits(b"a", 100.05)
    assert limiter.admits(b"a", 100.11)
    assert sum(limiter.admits(b"a", 100.11 + i / 1000) for i in range(10_000)) == pytest.approx(100, abs=2)
    assert sum(limiter.admits(b"a", 1_000.0) for _ in range(100)) == 20


def test_inventing_callers_neither_resets_a_bucket_nor_grows_memory() -> None:
    limiter = Limiter(rate_per_s=1, burst=5)
    while limiter.admits(b"loud", 50.0):
        pass
    size = sys.getsizeof(limiter._full_at)
    for i in range(200_000):
        limiter.admits(b"invented %d" % i, 50.0)
    assert not limiter.admits(b"loud", 50.0)
    assert sys.getsizeof(limiter._full_at) == size


def test_the_quiet_are_not_refused_for_the_loud() -> None:
    limiter = Limiter(rate_per_s=10, burst=50)
    chance = random.Random(7)
    for i in range(20_000):
        limiter.admits(b"crowd %d" % chance.randrange(2_000), 10.0 + i / 2_000)
    refused = sum(not limiter.admits(b"quiet %d" % i, 20.0) for i in range(1_000))
    assert refused <= 2


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("203.0.113.7", "203.0.113.250", "203.0.114.7"),
        ("::ffff:203.0.113.7", "203.0.113.9", "203.0.112.7"),
        ("2001:db8:1:100::1", "2001:db8:1:1ff::2", "2001:db8:1:200::1"),
    ],
)
def test_networks(address: str, same: str, other: str) -> None:
    assert network_of(address) == network_of(same) != network_of(other)


@pytest.mark.parametrize(
    ("forwarded_for", "forwarded", "hops", "client"),
    [
        ("6.6.6.6, 203.0.113.7", "", 0, "10.0.0.1"),
        ("6.6.6.6, 203.0.113.7", "", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.9", "", 2, "203.0.113.7"),
        ("203.0.113.7:4711", "", 1, "203.0.113.7"),
        ("", "", 1, "10.0.0.1"),
        ("203.0.113.7", "", 2, "10.0.0.1"),
        ("6.6.6.6", "for=192.0.2.60;proto=http;by=203.0.113.43", 1, "192.0.2.60"),
        ("", 'for=6.6.6.6, For="[2001:db8:cafe::17]:4711"', 1, "2001:db8:cafe::17"),
        ("2001:db8::1", "", 1, "2001:db8::1"),
    ],
)
def test_the_client_is_whom_our_outermost_proxy_saw(forwarded_for: str, forwarded: str, hops: int, client: str) -> None:
    assert client_of("10.0.0.1", forwarded_for, forwarded, hops) == client
