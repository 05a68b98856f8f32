"""Scrubbing: what must not be kept, and what must not be mistaken for it."""

import pytest

from collector.scrub import scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("no account for jo.doe+x@mail.example.com here", "no account for {email} here"),
        ("/u/jo%40mail.example/edit", "/u/{email}/edit"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVm", "got {token}"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer {token}"),
        ("card 4111 1111 1111 1111 declined", "card {card} declined"),
        ("order 4111 1111 1111 1112 lost", "order 4111 1111 1111 1112 lost"),
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dcABCDEFGH is bad", "key {token} is bad"),
        ("trace 5b8efff798038103d269b633813fc60c", "trace 5b8efff798038103d269b633813fc60c"),
        ("at line 1234 of 5678", "at line 1234 of 5678"),
        ("@media (max-width: 3px)", "@media (max-width: 3px)"),
    ],
)
def test_scrubbing(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed
    assert scrub("x " * 200 + text) == "x " * 200 + scrubbed
