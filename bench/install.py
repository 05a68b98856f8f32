"""A clean venv: install one built file as a stranger does, and see that what was installed keeps a beacon.

Standard library only, so that any Python can run it: `python3.14 bench/install.py dist/farside-*.whl`. It makes a venv of
the Python that runs it, installs the file (a wheel, or an sdist, which builds the snippet on the way), runs `farside
check` and `farside serve`, sends one beacon and reads it back from the overview. Prints JSON; ends with 1 if
anything failed.
"""

import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


def main() -> int:
    """Try the file named on the command line."""
    built = Path(sys.argv[1]).resolve()
    found = {"python": platform.python_version(), "file": built.name}
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder) / "venv", with_pip=True)
        programs = Path(folder) / "venv" / "bin"
        began = time.monotonic()
        _run(programs / "pip", "install", "-q", "--no-cache-dir", str(built), folder=folder)
        found["install_s"] = round(time.monotonic() - began, 1)
        _run(programs / "farside", "check", folder=folder)
        found["views"] = _served(programs / "farside", folder)
    print(json.dumps(found))
    return 0 if found["views"] == 1 else 1


def _run(program: Path, *arguments: str, folder: str) -> None:
    # In a folder of its own: nothing of the repository may be imported by accident.
    subprocess.run([str(program), *arguments], cwd=folder, check=True, stdout=sys.stderr)


def _served(farside: Path, folder: str) -> int:
    """How many views the overview shows after one was sent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    serving = subprocess.Popen([str(farside), "serve", "--port", str(port)], cwd=folder, stdout=sys.stderr)
    try:
        _until(lambda: _read(f"{home}/readyz") is not None, "the collector is not ready")
        _send(home)
        return _until(lambda: _views(home), "the view did not come")
    finally:
        serving.terminate()
        serving.wait(120)


def _views(home: str) -> int:
    body = _read(f"{home}/overview.json?app=demo&wait=1")
    return sum(int(route["views"]) for route in json.loads(body)["routes"]) if body else 0


def _send(home: str) -> None:
    now = time.time() * 1000
    beacon = {
        "v": 1, "key": "demo", "beacon_id": secrets.token_hex(16), "seq": 0, "sent_at": now,
        "session_id": secrets.token_hex(16), "view_id": secrets.token_hex(16), "view_started_at": now - 2_000,
        "url": "http://localhost/", "events": [{"type": "view", "at": 0, "duration_ms": 800}],
    }  # fmt: skip
    headers = {"Origin": "http://localhost", "Content-Type": "text/plain", "User-Agent": AGENT}
    request = urllib.request.Request(f"{home}/b", json.dumps(beacon).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as reply:
        assert reply.status == 204, reply.status


def _read(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:
            return bytes(reply.read())
    except OSError:
        return None


def _until(true, complaint: str):
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.2)
    raise SystemExit(complaint)


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    sys.exit(main())
