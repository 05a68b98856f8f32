"""`farside serve` with people: the real process, both addresses, and the page of what was changed."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running, a_beacon, free_port, send, wait_until
from tests.people.conftest import PASSWORD
from tests.people.visitor import Visitor


def add_person(folder: Path, name: str, role: str) -> None:
    command = [sys.executable, "-m", "collector", "people", "add", name, "--role", role, "--data", str(folder / "data")]
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, check=True, cwd=folder, env={"PYTHONPATH": str(ROOT)})


def sign_in(url: str, name: str) -> Visitor:
    visitor = Visitor(url)
    assert visitor.post("/sign-in", "/sign-in", name=name, password=PASSWORD) == 200
    return visitor


def test_a_new_password_leaves_the_role_as_it_was(tmp_path: Path) -> None:
    add_person(tmp_path, "anna", "editor")
    command = [sys.executable, "-m", "collector", "people", "add", "anna", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, input="another long password\n", text=True, capture_output=True, check=True)
    assert "anna is editor" in done.stdout


def test_pages_and_doors_at_addresses_of_their_own(
    spawn: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person(tmp_path, "anna", "editor")
    port = free_port()
    monkeypatch.setenv("FARSIDE_PRIVATE", f"127.0.0.1:{port}")
    running = spawn()
    pages = f"http://127.0.0.1:{port}"
    assert running.post(a_beacon()).status == 204
    assert running.get("/farside.js").status == 200
    for path in ("/", "/overview.json", "/audit", "/metrics", "/sign-in", "/api/v1/ask"):
        assert running.get(path).status == 404, path
    assert send(f"{pages}/overview.json").status == 401
    visitor = sign_in(pages, "anna")
    page = visitor.get("/audit")
    assert "anna" in page
    assert "Nothing has been changed yet" in page
    assert "Sign in" in visitor.get("/sign-in")
    visitor.post("/sign-out", "/")
    assert "Password" in visitor.get("/"), "signed out, and led to the form"
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b" 404 " in connection.recv(100)
    assert running.kill(15) in (0, -15), "both servers end with one signal, which uvicorn raises again at the end"
    assert "Traceback" not in running.log


def test_what_is_served_to_everybody_has_a_sign_in(spawn: Callable[..., Running], tmp_path: Path) -> None:
    add_person(tmp_path, "anna", "viewer")
    running = spawn("--host", "0.0.0.0")
    assert running.get("/overview.json").status == 401
    assert "Sign out" in sign_in(running.url, "anna").get("/")
    (tmp_path / "data" / "people.toml").unlink()
    assert running.get("/overview.json").status == 200, "from this machine, which is this test"


def test_settings_and_people_that_change_are_seen(spawn: Callable[..., Running], tmp_path: Path) -> None:
    toml = tmp_path / "farside.toml"
    app = '[apps.shop]\nkeys = ["k1"]\norigins = ["https://shop.example"]\n'
    toml.write_text(app)
    running = spawn()
    known = running.data / "known.json"
    wait_until(known.exists)
    toml.write_text(app.replace('"k1"', '"k1", "k2"'))

    def seen() -> list[dict[str, object]]:
        return running.rows("SELECT action, subject, before, after FROM audit ORDER BY at")

    (change,) = wait_until(seen)
    assert (change["action"], change["subject"]) == ("settings changed", "settings")
    assert "k2" in running.get("/audit?wait=1").body.decode()
    add_person(tmp_path, "anna", "editor")
    assert wait_until(lambda: seen()[1:])[0]["action"] == "people changed"
    running.kill(15)
    again = spawn("--host", "127.0.0.1")
    toml.write_text("rate_per_key = 70\n" + app)
    again.kill(15)
    last = spawn()

    def rates() -> list[object]:
        return [row["n"] for row in last.rows("SELECT after['rate_per_key'] AS n FROM audit ORDER BY at")]

    # The process before may have seen what needs no restart, the key that went, and written a row of its own.
    assert wait_until(lambda: "70" in rates()[2:]), "a change that needs a restart is seen after it"
