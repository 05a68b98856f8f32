"""A Firefox to test in, driven by tests/snippet/npm/firefox.mjs as a process of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.npm import program

PACKAGES = Path(__file__).parent / "npm"


def find_firefox() -> str:
    for name in ("firefox-esr", "firefox"):
        if path := shutil.which(name):
            return path
    return ""


class Firefox:
    """One browser; each method returns when the page has done it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.version = str(self._answer())

    def do(self, *steps: tuple[Any, ...]) -> Any:
        """Steps in a row, the last one's value comes back."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(steps) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def evaluate(self, text: str) -> Any:
        return self.do(("evaluate", text))

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Firefox or its driver went away"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Start one, with a profile of its own; it ends with its driver's input."""
    command = [*program("firefox.mjs", PACKAGES), find_firefox()]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Firefox(process)
    finally:
        process.communicate(timeout=30)
