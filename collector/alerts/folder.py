"""Folder: the files rules live in, read again when one changes, and the rules that come with Farside.

A file that cannot be read keeps the rules it had before, and its complaints are shown; a rule is never dropped in
silence. Rules made on a page are files of their own, named by their id.
"""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from collector.alerts.rules import Rule
from collector.alerts.text import BadRules, read, write

log = logging.getLogger("farside.alerts")

ENDINGS = (".yaml", ".yml")


@dataclass
class _File:
    stamp: tuple[int, int]
    rules: list[Rule] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Folder:
    """Rules by id, from all files of a folder."""

    def __init__(self, path: Path, demo: str = "") -> None:
        """With `demo` the rules that come with Farside watch that app, as far as no file has a rule of the same id."""
        self.path = path
        self._demo = demo
        self._files: dict[str, _File] = {}

    def refresh(self) -> bool:
        """Read what changed since; true when anything did."""
        found = {file.name: file for file in self._listed()}
        changed = bool(self._files.keys() - found.keys())
        self._files = {name: known for name, known in self._files.items() if name in found}
        for name, file in found.items():
            try:
                status = file.stat()
            except OSError:
                continue
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._files.get(name)
            if known is None or known.stamp != stamp:
                self._files[name] = self._read(file, stamp, known)
                changed = True
        return changed

    def _listed(self) -> Iterable[Path]:
        if not self.path.is_dir():
            return []
        return sorted(p for p in self.path.iterdir() if p.suffix in ENDINGS and not p.name.startswith("."))

    @staticmethod
    def _read(file: Path, stamp: tuple[int, int], known: _File | None) -> _File:
        try:
            return _File(stamp, read(file.read_text(), file.name))
        except (BadRules, OSError, UnicodeDecodeError) as error:
            said = error.complaints if isinstance(error, BadRules) else [f"{file.name}: {error}"]
            for sentence in said:
                log.error("%s", sentence)
            return _File(stamp, known.rules if known else [], said)

    @property
    def rules(self) -> dict[str, Rule]:
        """Every rule that can be used, by id; where two files have the same id, the first file's."""
        found: dict[str, Rule] = {}
        for known in self._files.values():
            for rule in known.rules:
                found.setdefault(rule.id, rule)
        for rule in ready().values() if self._demo else ():
            found.setdefault(rule.id, msgspec.structs.replace(rule, where=rule.where | {"app": self._demo}))
        return found

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the files."""
        said = [sentence for known in self._files.values() for sentence in known.complaints]
        owner = {rule.id: name for name, f in reversed(self._files.items()) for rule in f.rules}
        doubled = [(name, rule.id) for name, f in self._files.items() for rule in f.rules if owner[rule.id] != name]
        return said + [f"{name}: {rule!r} is in {owner[rule]} already, and that one counts" for name, rule in doubled]

    def file_of(self, rule: str) -> str:
        """The name of the file a rule stands in; empty for one that is in none."""
        return next((name for name, f in self._files.items() if any(r.id == rule for r in f.rules)), "")

    def check_owned(self, rule: str) -> None:
        """Raise `BadRules` if a rule stands in a file that is not its own."""
        there = self.file_of(rule)
        if there and (there != f"{rule}.yaml" or len(self._files[there].rules) > 1):
            raise BadRules([f"{there}: {rule!r} stands there; change it in the file, or choose another id"])

    def put(self, rule: Rule) -> None:
        """Write a rule made on a page to a file of its own; raises `BadRules` where another file has it."""
        name = f"{rule.id}.yaml"
        self.check_owned(rule.id)
        self.path.mkdir(parents=True, exist_ok=True)
        draft = self.path / f".{name}.{secrets.token_hex(4)}"
        draft.write_text(write(rule))
        draft.replace(self.path / name)
        self.refresh()

    def remove(self, rule: str) -> None:
        """Take a rule away that has a file of its own; raises `BadRules` otherwise."""
        there = self.file_of(rule)
        if there != f"{rule}.yaml" or len(self._files[there].rules) > 1:
            raise BadRules([f"{there or rule}: {rule!r} has no file of its own; take it out of the file by hand"])
        (self.path / there).unlink()
        self.refresh()


@cache
def ready() -> dict[str, Rule]:
    """The rules that come with Farside, by id; their app is a placeholder to be filled in."""
    folder = resources.files("collector.alerts") / "ready"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {rule.id: rule for f in files for rule in read(f.read_text(), f.name)}
