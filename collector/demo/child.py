"""Child: one process of the demo, from its start to its end, and what it says in between.

Each runs in a session of its own, so that Ctrl-C reaches the parent alone and the parent decides the order of leaving.
Its output is printed line by line behind its name; it stops when its standard input is closed (see `lifeline`).
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

_PATIENCE_S = 8


class Child:
    """A running process; `name` stands before each line it prints."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], fds: Sequence[int] = ()) -> None:
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=fds,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._printer = threading.Thread(target=self._print, name=f"print-{name}", daemon=True)
        self._printer.start()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Close its lifeline; do this to all before waiting for each."""
        assert self._process.stdin
        self._process.stdin.close()

    def wait(self, patience_s: float = _PATIENCE_S) -> None:
        """Until it has ended; after `patience_s` with force, its own children included."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {patience_s:g} s and was killed.", file=sys.stderr)
            os.killpg(self._process.pid, 9)
            self._process.wait()
        self._printer.join(1)

    def _print(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                print(f"{self.name:>9} │ {line.rstrip()}", flush=True)
