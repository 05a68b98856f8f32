"""Budgets: how many different values of a field an app may have, so that no page can make a column explode.

The first LIMIT values of a field are kept as they are; any other becomes `{other}` and stays countable. Ids, messages and
addresses have no budget: they are not grouped by as a matter of course.
"""

from collections import defaultdict
from typing import TypeVar

Value = TypeVar("Value")

LIMIT = 1_000
KEYS_LIMIT = 256
OTHER = "{other}"


class Budgets:
    """What one app has used of each field's budget, in this process."""

    def __init__(self) -> None:
        self.known: defaultdict[str, set[str]] = defaultdict(set)
        """Values by field that are within budget: whoever finds a value there need not ask."""

    def admit(self, field: str, value: str, limit: int = LIMIT) -> str:
        """The value while the field's budget lasts, OTHER beyond."""
        known = self.known[field]
        if not value or value in known:
            return value
        if len(known) >= limit:
            return OTHER
        known.add(value)
        return value

    def admit_keys(self, field: str, pairs: dict[str, Value]) -> dict[str, Value]:
        """A map whose keys are within budget; what is beyond shares one key."""
        if not pairs or self.known[field].issuperset(pairs):
            return pairs
        return {self.admit(field, key, KEYS_LIMIT): value for key, value in pairs.items()}
