"""Settings: where a value comes from, and what is said of a wrong one."""

import os
import re
from pathlib import Path

import pytest

from collector.cli import main
from collector.outcomes import Outcome
from collector.settings import App, BadSettings, load

TOML = """
port = 9000
otlp_token = "hush"

[apps.shop]
keys = ["k1", "k2"]
origins = ["https://shop.example", "https://*.shop.example"]
team = "web"
"""


def test_flags_beat_the_environment_and_that_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "farside.toml"
    file.write_text(TOML)
    environ = {"FARSIDE_PORT": "9001", "FARSIDE_HOST": "127.0.0.2", "FARSIDE_TEST_CLICKHOUSE": "not ours"}
    settings = load(file, environ, {"port": 9002, "host": None})
    assert (settings.port, settings.host, settings.otlp_token) == (9002, "127.0.0.2", "hush")
    table = {name: (value, source) for name, value, source in settings.table()}
    assert table["port"] == ("9002", "--port")
    assert table["host"][1] == "FARSIDE_HOST"
    assert table["otlp_token"] == ("(set)", str(file))
    assert set(settings.apps) == {"shop", "demo"}
    assert {key: app.name for key in ("k1", "k2", "demo") if (app := settings.apps.with_key(key))} == {
        "k1": "shop",
        "k2": "shop",
        "demo": "demo",
    }


def test_apps_are_read_again_when_their_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "farside.toml"
    file.write_text(TOML)
    apps = load(file, {}).apps
    file.write_text(TOML.replace('"k1", "k2"', '"k2", "k3"'))
    os.utime(file, ns=(1, 1))
    apps.refresh()
    assert apps.with_key("k1") is None
    assert apps.with_key("k3")
    file.write_text("[apps.shop]\nkeys = 7")
    with pytest.raises(BadSettings, match="needs keys"):
        apps.refresh()
    assert apps.with_key("k3"), "a broken file changes nothing"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prot = 1", "unknown setting 'prot'"),
        ('port = "many"', "port = 'many' is not a int"),
        ("port = -1", "port = -1"),
        ("port", "farside.toml"),
        ('roles = "ingest,dance"', "unknown roles ['dance']"),
        ('roles = "ingest,pages"', "give them `load` as well"),
        ("[apps.a]\nkeys = ['k']", "needs origins"),
        ("[apps.a]\nkeys = []\norigins = ['*']", "needs keys"),
        ("[apps.a]\nkeys = ['k']\norigins = ['*']\nkye = 1", "unknown settings ['kye']"),
        ("[apps.a]\nkeys = ['k']\norigins = ['*']\n[apps.b]\nkeys = ['k']\norigins = ['*']", "same write key 'k'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "farside.toml"
    file.write_text(text)
    with pytest.raises(BadSettings) as error:
        load(file, {})
    assert complaint in str(error.value)
    assert main(["settings", "--config", str(file)]) == 2


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="no such file"):
        load(tmp_path / "gone.toml", {})


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example", "https://shop.example.evil.net", False),
        ("https://shop.example", "http://shop.example", False),
        ("https://*.shop.example", "https://a.shop.example", True),
        ("https://*.shop.example", "https://shop.example", False),
        ("https://*.shop.example", "https://evil.net/.shop.example", False),
        ("loopback", "http://localhost:3000", True),
        ("loopback", "http://127.8.9.1", True),
        ("loopback", "http://[::1]:80", True),
        ("loopback", "http://shop.localhost:1", True),
        ("loopback", "http://localhost.evil.net", False),
        ("loopback", "null", False),
        ("*", "https://anything.example", True),
    ],
)
def test_origins(pattern: str, origin: str, allowed: bool) -> None:
    assert App("a", ("k",), (pattern,)).allows(origin) is allowed


def test_serving_to_others_without_a_sign_in_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--data", str(tmp_path)]) == 2
    assert "sign-in" in capsys.readouterr().err


def test_a_password_in_the_stores_address_is_not_shown() -> None:
    settings = load(environ={"FARSIDE_STORE": "clickhouse://u:hush@h:8443/farside"})
    assert "hush" not in str(settings.table())


def test_the_docs_list_every_setting_and_every_outcome() -> None:
    text = (Path(__file__).parent.parent / "docs" / "operate.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert {name for name, _, _ in load(environ={}).table()} - {"apps"} <= listed
    assert {str(outcome) for outcome in Outcome} <= set(re.findall(r"`(\w+)`", text))
