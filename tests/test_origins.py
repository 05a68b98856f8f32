"""Origins as somebody writes them down, and as browsers send them."""

import pytest

from collector.origins import as_sent, is_on


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://shop.example", "https://shop.example"),
        ("http://127.0.0.1:8400/", "http://127.0.0.1:8400"),
        ("https://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("https://shop.example:80", "https://shop.example:80"),
        ("https://*.shop.example", "https://*.shop.example"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("loopback", "loopback"),
        ("null", "null"),
        ("*", "*"),
    ],
)
def test_what_is_written_down_is_what_browsers_send(given: str, sent: str) -> None:
    assert as_sent(given) == sent
    assert sent == "loopback" or is_on((as_sent(given),), sent.replace("*", "www"))


@pytest.mark.parametrize(
    "given",
    ["127.0.0.1:8400", "shop.example", "//shop.example", "https://", "https://shop.example/cart", "*.example", "/"],
)
def test_what_no_browser_sends_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is no origin: scheme, host and port"):
        as_sent(given)
