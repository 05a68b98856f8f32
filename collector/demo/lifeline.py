"""Lifeline: a child of the demo lives as long as its standard input stays open.

The parent holds the other end and never writes. Closing it asks the child to stop; and since the system closes it when
the parent dies, however that happens, no service, browser or collector is ever left behind.
"""

import os
import sys
import threading
from collections.abc import Callable


def when_parent_is_gone(stop: Callable[[], object]) -> None:
    """Call `stop`, once and from another thread, when standard input ends."""

    def wait() -> None:
        # Not sys.stdin.read(): its lock would be held for ever, and the interpreter wants it on the way out.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
