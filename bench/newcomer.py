"""The newcomer's path: the README's own commands and files in a fresh clone, up to a first view on the dashboard.

Everything that is typed or pasted is taken out of README.md; nothing else is installed or set. Usage:
python -m bench.newcomer     prints JSON: seconds for each stretch, downloads included
"""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parent.parent
COLLECTOR = "http://127.0.0.1:8317"
SHOP = "http://127.0.0.1:8400"
PATIENCE_S = 300


def blocks(readme: str, language: str = "") -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


def commands(readme: str) -> list[str]:
    """What the README tells one to type, without its comments."""
    return [line.split("#")[0].strip() for block in blocks(readme) for line in block.splitlines()]


@contextmanager
def running(command: str, folder: Path, path: str = "") -> Iterator[None]:
    """A command in a shell of its own, interrupted at the end as with Ctrl-C."""
    env = {**os.environ, "PATH": os.pathsep.join(filter(None, (path, os.environ["PATH"])))}
    log = (folder / "said.log").open("w")
    process = subprocess.Popen(command, shell=True, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def until(holds: Callable[[], bool]) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        try:
            if holds():
                return round(time.monotonic() - began, 1)
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("that took too long")


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return bytes(reply.read())


def views(app: str) -> int:
    """How many views the overview counts."""
    return sum(route["views"] for route in json.loads(fetched(f"{COLLECTOR}/overview.json?app={app}"))["routes"])


def look_at(url: str) -> None:
    """Open a page in a browser, as its reader does, and close it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or "chrome"
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        subprocess.run([*command, "--timeout=4000", "--dump-dom", url], capture_output=True, check=True, timeout=60)


@contextmanager
def own_page(folder: Path, paste: str) -> Iterator[str]:
    """A page of the newcomer's, with the pasted line; its address."""
    folder.mkdir()
    (folder / "index.html").write_text(f"<!doctype html><title>Mine</title>{paste}<h1>My own page</h1>")
    serve = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()


def main() -> dict[str, float]:
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="farside-newcomer-") as folder:
        clone = Path(folder) / "farside"
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        readme = (clone / "README.md").read_text()
        typed = commands(readme)
        assert {"make demo", "pip install .", "farside serve"} <= set(typed), typed
        with running("make demo", clone):
            took["make demo until the shop is open"] = until(lambda: bool(fetched(f"{SHOP}/healthz")))
            look_at(f"{SHOP}/")
            took["its first view on the overview"] = until(lambda: views("demo") > 0)
        began = time.monotonic()
        venv = Path(folder) / "venv"
        subprocess.run(["python3", "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "-q", "."], cwd=clone, check=True)
        took["pip install ."] = round(time.monotonic() - began, 1)
        mine = Path(folder) / "mine"
        mine.mkdir()
        (mine / "farside.toml").write_text(blocks(readme, "toml")[0])
        with (
            running("farside serve", mine, str(venv / "bin")),
            own_page(mine / "site", blocks(readme, "html")[0]) as url,
        ):
            took["farside serve until ready"] = until(lambda: bool(fetched(f"{COLLECTOR}/readyz")))
            look_at(url)
            took["my own page's first view"] = until(lambda: views("shop") > 0)
    return took | {"together": round(sum(took.values()), 1)}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
