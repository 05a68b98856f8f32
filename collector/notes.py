"""Notes: what has changed in the files we run by, settings and people, written into the audit.

Nobody signs in to edit a file, so the audit can only say when a change was seen, and what is different from what was
known before, also from before a restart. What was known lies in the data folder.
"""

import hashlib
import json
from pathlib import Path

from collector import audit
from collector.people import EDITOR, People, Person
from collector.settings import Settings
from collector.store import Store

SOMEBODY = Person("whoever edited it", EDITOR, "file")


class Notes:
    """Looks at settings and people, and remembers what it saw."""

    def __init__(self, store: Store, settings: Settings, people: People) -> None:
        self._store = store
        self._settings = settings
        self._people = people
        self._file = settings.data / "known.json"
        self._known = _read(self._file)

    def look(self) -> None:
        """Write down what has changed since the last look. Blocks; raises `StoreAway`, and then sees it again later."""
        found = {"settings": self._facts(), "people": self._persons()}
        if found == self._known:
            return
        for subject, facts in found.items():
            before = self._known.get(subject)
            if before is not None and before != facts:
                audit.record(self._store, SOMEBODY, f"{subject} changed", subject, before=before, after=facts)
        self._known = found
        self._file.write_text(json.dumps(found, indent=1))

    def _facts(self) -> dict[str, str]:
        """Every setting as `farside settings` shows it, and each app as it stands in the file."""
        facts = {name: value for name, value, _ in self._settings.table() if name != "apps"}
        for app in self._settings.apps.values():
            told = {
                "keys": app.keys, "origins": app.origins, "team": app.team, "owners": app.owners,
                "remote": app.remote.as_json(),
            }  # fmt: skip
            facts |= {f"apps.{app.name}.{name}": json.dumps(value, default=list) for name, value in told.items()}
        return facts

    def _persons(self) -> dict[str, str]:
        """Role of each, and a trace of the salted hash, so that a new password shows and none can be guessed from it."""
        return {
            name: f"{entry.role}, password {hashlib.sha256(entry.password.encode()).hexdigest()[:6]}"
            if entry.password
            else entry.role
            for name, entry in self._people.entries().items()
        }


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
