"""The demo as a process: what it prints, what runs below it, how it ends."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Demo:
    """A running `python -m collector.demo`; `lines` is what it printed."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.demo", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def opened(self) -> str:
        """The shop's address, once it is open."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if "Ctrl-C closes it." in self.output:
                return re.findall(r"The shop is open:\s+(http\S+)/", self.output)[0]
            time.sleep(0.05)
        raise AssertionError(f"the shop did not open: {self.output}")

    def ended(self, within_s: float = 30) -> int:
        """Its exit code."""
        code = self.process.wait(within_s)
        self._reader.join(5)
        return code

    def children(self) -> set[int]:
        """The processes below it, however deep."""
        found: set[int] = set()
        waiting = [self.process.pid]
        while waiting:
            listed = Path(f"/proc/{waiting[0]}/task/{waiting.pop(0)}/children").read_text().split()
            found |= set(map(int, listed))
            waiting += map(int, listed)
        return found

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.ended()


def running(pids: set[int]) -> set[int]:
    """Those of `pids` that still run; one that only waits to be buried does not."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
