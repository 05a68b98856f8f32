"""Leash: run a program that knows nothing of lifelines, and end it with ours: `python -m collector.demo.leash CMD …`.

The demo starts a collector this way. The program gets SIGTERM and fifteen seconds to put its data away.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence

from collector.demo.lifeline import when_parent_is_gone

_PATIENCE_S = 15


def main(command: Sequence[str]) -> int:
    """Run `command` to its end or ours; its exit code."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the demo's own command line
    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    when_parent_is_gone(lambda: _end(program))
    return program.wait()


def _end(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
