"""Budgets: how many different values of a field an app may have, so that no page can make a column explode.

The first LIMIT values of a field are kept as they are; any other becomes `{other}` and stays countable. Ids, messages and
addresses have no budget: they are not grouped by as a matter of course.
"""

LIMIT = 1_000
KEYS_LIMIT = 256
OTHER = "{other}"
FITTING = 16_384


class Budgets:
    """What one app has used of each field's budget, in this process."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        # Whole combinations that are known to fit: nearly every event is like one before it, and one look is enough.
        self.fitting: set[tuple[str, ...]] = set()

    def remember(self, combination: tuple[str, ...]) -> None:
        """Note a combination of words that was looked at and left as it was."""
        if len(self.fitting) >= FITTING:
            self.fitting.clear()
        self.fitting.add(combination)

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
