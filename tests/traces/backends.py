"""Backends for tests of traces: processes of their own, in Python or Node, each instrumented and with our recipe."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import npm
from tests.conftest import ROOT, free_port, send, wait_until

EXPRESS = ROOT / "dashboards" / "recipes" / "server-timing.cjs"


def faked(ahead_s: float) -> dict[str, str]:
    """An environment in which a process's clock is so many seconds ahead, by libfaketime; empty where there is none.

    Not by the `faketime` command, which stays between us and the process. Monotonic clocks are left alone, for Python's
    locks wait until a moment of theirs.
    """
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        return {}
    return {"LD_PRELOAD": str(libraries[0]), "FAKETIME": f"{ahead_s:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@contextmanager
def backend(
    framework: str,
    collector: str,
    folder: Path,
    service: str = "",
    clock: dict[str, str] | None = None,
    spans_to: str = "",
) -> Iterator[str]:
    """A backend's address; `clock` is an environment that gives it a clock of its own (`faked`), `spans_to`
    where its spans go if not straight to the collector."""
    port, service = free_port(), service or framework
    if framework == "express":
        command = [*npm.program("backend.cjs"), str(port), collector, service]
        # Beside its packages, as it would lie in a project: require() looks from where a file is.
        copy = Path(command[1]).parent / EXPRESS.name
        copy.write_bytes(EXPRESS.read_bytes())
        command.append(str(copy))
    else:
        command = [sys.executable, "-m", "tests.backends.python", framework, str(port), collector, service]
    log = folder / f"{service}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, cwd=ROOT, env=os.environ | {"SPANS_TO": spans_to} | (clock or {})
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return send(f"{url}/api/ready").status == 200
        except OSError:
            return False

    try:
        wait_until(answers, timeout_s=30)
        yield url
    finally:
        process.terminate()
        process.wait(20)
