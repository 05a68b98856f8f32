"""Scrub: text from a page → the same text without what should not have been in it.

E-mail addresses, bearer and JSON web tokens, long secrets and card numbers become words in braces, in messages, stacks,
breadcrumbs, names and paths alike. Pure, and cheap on text that holds nothing of the kind, which is nearly all of it.
"""

import re
from functools import lru_cache

_SUSPECT = re.compile(r"@|eyJ|%40|\d[ -]?\d{3}|[Bb]earer|[A-Za-z0-9_-]{32}")
_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?")
_BEARER = re.compile(r"([Bb]earer\s+)[\w.~+/=-]{8,}")
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
# Letters and digits mixed, too long for a word: keys and session ids. Pure hexadecimal of 32 or 16 stays, those are ids
# of ours and of traces.
_SECRET = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{32,}(?![\w-])")


def scrub(text: str) -> str:
    """The text without addresses, tokens and card numbers."""
    return scrub_short(text) if len(text) <= 256 else _scrub(text)


@lru_cache(maxsize=16_384)
def scrub_short(text: str) -> str:
    """The same for what is known to be short, such as a name: remembered, since names come again."""
    return _scrub(text)


def _scrub(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    text = _EMAIL.sub("{email}", text)
    text = _JWT.sub("{token}", text)
    text = _BEARER.sub(r"\1{token}", text)
    text = _SECRET.sub("{token}", text)
    return _DIGITS.sub(lambda match: "{card}" if _is_card(match[0]) else match[0], text)


def _is_card(number: str) -> bool:
    """Luhn's check: every card number passes it, and one in ten other numbers of that length."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
