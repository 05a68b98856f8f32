"""Reach: whether something answers at an address."""

import os
import urllib.error
import urllib.request


def answers(url: str, status: int | None = None) -> bool:
    """Whether `url` answers within two seconds: with `status`, or with anything at all if that is None."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - http(s) only, checked with the options
            return status in (None, reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return status in (None, error.code)
    except OSError:
        return False


def spare_loopback_the_proxy() -> None:
    """Keep calls to this machine, ours and our children's, away from a proxy that the environment names."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost", "::1"]))
