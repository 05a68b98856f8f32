"""Budgets: how many different values of a field an app may have, so that no page can make a column explode.

The first LIMIT values of a field are kept as they are; any other becomes `{other}` and stays countable. Ids, messages and
addresses have no budget: they are not grouped by as a matter of course.
"""

LIMIT = 1_000
KEYS_LIMIT = 256
OTHER = "{other}"


class Budgets:
    """What one app has used of each field's budget, in this process."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def admit(self, field: str, value: str, limit: int = LIMIT) -> str:
        """The value while the field's budget lasts, OTHER beyond."""
        known = self._known.get(field)
        if known is None:
            known = self._known[field] = set()
        if value in known or not value:
            return value
        if len(known) >= limit:
            return OTHER
        known.add(value)
        return value

    def admit_keys(self, field: str, pairs: dict[str, str]) -> dict[str, str]:
        """A map whose keys are within budget; what is beyond shares one key."""
        if not pairs:
            return pairs
        return {self.admit(field, key, KEYS_LIMIT): value for key, value in pairs.items()}
