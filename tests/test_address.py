"""Addresses of a store: what they mean, what is said of a wrong one, and that none shows its password."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli import main
from collector.settings import BadSettings, load
from collector.store import BadAddress, Store, StoreAway
from collector.store.address import Address, parse
from tests.conftest import Front, free_port


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("chdb:///var/lib/farside", Address(folder="/var/lib/farside")),
        (
            "clickhouse://shop:s%40fe@ch.example:8443/rum?secure=1",
            Address(host="ch.example", port=8443, user="shop", password="s@fe", database="rum", secure=True),
        ),
        ("clickhouse://ch.example", Address(host="ch.example", port=8123)),
        ("clickhouse://ch.example/?secure=1", Address(host="ch.example", port=8443, secure=True)),
        ("clickhouse://ch.example:8443", Address(host="ch.example", port=8443, secure=True)),
        ("clickhouse://ch.example:8443?secure=0", Address(host="ch.example", port=8443)),
        ("clickhouse://[::1]:8123/f", Address(host="::1", port=8123, database="f")),
        (
            "clickhouse://h:9999?verify=0&ca_cert=/ca.pem&connect_timeout=30",
            Address(host="h", port=9999, verify=False, ca_cert="/ca.pem", connect_timeout_s=30),
        ),
    ],
)
def test_what_an_address_means(url: str, expected: Address) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgres://h", "begins with 'postgres'"),
        ("chdb://", "names no folder"),
        ("clickhouse:///farside", "names no host"),
        ("clickhouse://u:hush@h:9000/farside", "native protocol; name the HTTP port, 8123"),
        ("clickhouse://u:hush@h:99999/farside", "ort"),
        ("clickhouse://u:hush@h/far-side", "'far-side' is no name"),
        ("clickhouse://u:hush@h/farside?secure=maybe", "secure=maybe"),
        ("clickhouse://u:hush@h/farside?compress=1", "unknown options compress; known: secure"),
        ("clickhouse://u:hush@h?connect_timeout=0", "connect_timeout=0"),
        ("clickhouse://u:hush@hush/@h:port/x", "ort"),
    ],
)
def test_a_wrong_address_is_named_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(BadAddress) as error:
        parse(url)
    assert complaint in str(error.value)
    assert "hush" not in str(error.value)


def test_an_address_never_shows_its_password() -> None:
    address = parse("clickhouse://u:hush@h/farside")
    assert address.password == "hush"
    assert "hush" not in f"{address} {address!r}"
    assert str(address) == "clickhouse://u@h:8123/farside"


def test_a_password_may_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    url = "clickhouse://u:in-url@h/farside"
    for environ, expected in (
        ({}, "in-url"),
        ({"FARSIDE_STORE_PASSWORD_FILE": str(secret)}, "from-file"),
        ({"FARSIDE_STORE_PASSWORD": "from-env"}, "from-env"),
    ):
        settings = load(environ={"FARSIDE_STORE": url, **environ})
        assert Store.of(settings).address.password == expected
        shown = str(settings.table())
        assert "in-url" not in shown
        assert "from-env" not in shown
    with pytest.raises(BadSettings, match="store_password_file"):
        Store.of(load(environ={"FARSIDE_STORE": url, "FARSIDE_STORE_PASSWORD_FILE": str(tmp_path / "gone")}))


def test_a_cluster_needs_servers(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="a cluster needs servers"):
        Store.of(load(environ={"FARSIDE_CLUSTER": "main", "FARSIDE_DATA": str(tmp_path)}))


def test_a_refused_password_and_a_server_that_is_away_are_told_in_a_sentence(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = f"clickhouse://farside:wrong-secret@127.0.0.1:{front.port}/x"
    with pytest.raises(StoreAway, match="Authentication failed"):
        Store(wrong, tmp_path / "tmp").open()
    nobody = f"clickhouse://farside:wrong-secret@127.0.0.1:{free_port()}/x"
    with pytest.raises(StoreAway, match=r"cannot reach clickhouse://farside@127.0.0.1.*refused"):
        Store(nobody, tmp_path / "tmp").open()
    assert main(["migrate", "--store", nobody, "--data", str(tmp_path)]) == 2
    assert main(["settings", "--store", nobody]) == 0
    printed = capsys.readouterr()
    assert "cannot reach" in printed.err
    assert "wrong-secret" not in printed.out + printed.err + caplog.text


def test_two_processes_cannot_open_one_folder_and_that_is_said(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "collector", "check", "--data", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.returncode == 2
    assert "another process has it open" in done.stderr
    assert "DB::Exception" not in done.stderr, "in our words only"
