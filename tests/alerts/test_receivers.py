"""Receivers: who hears of alerts, and by which secrets; what links in a notice may do, and for how long."""

from pathlib import Path
from typing import Any

import pytest

from collector.alerts.rules import Rule
from collector.notify.links import Signer
from collector.notify.receivers import Receivers, read
from collector.settings import BadSettings


def test_secrets_come_from_files_or_the_environment_and_stay_secret(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "url").write_text("https://hooks.example/T000/s3cret\n")
    monkeypatch.setenv("PAGER", "https://x.example/p4ger")
    file = tmp_path / "receivers.toml"
    file.write_text(f'[a]\nkind = "slack"\nurl_file = "{tmp_path / "url"}"\n[b]\nkind = "webhook"\nurl_env = "PAGER"\n')
    receivers = Receivers(file)
    receivers.refresh()
    assert receivers.known["a"].values["url"] == "https://hooks.example/T000/s3cret"
    assert "s3cret" not in repr(receivers.known)
    assert "p4ger" not in repr(receivers.known)
    assert "s3cret" not in receivers.known["a"].hidden("GET https://hooks.example/T000/s3cret and /T000/s3cret failed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\nkind = "pigeon"', "there are webhook"),
        ('[a]\nkind = "webhook"', "needs url"),
        ('[a]\nkind = "webhook"\nurl = "ftp://x"', "https://"),
        ('[a]\nkind = "webhook"\nurl_env = "NO_SUCH_NAME"', "NO_SUCH_NAME"),
        ('[a]\nkind = "smtp"\nhost = "x"\nfrom = "a@x"\nto = "b@x"', "list of texts"),
        ('[a]\nkind = "slack"\nurl = "https://x"\ncolour = "red"', "no 'colour'"),
    ],
)
def test_a_receiver_that_cannot_work_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(BadSettings, match=words):
        read(tmp_path / "r.toml", {})


def test_a_name_that_nobody_bears_silences_no_rule_and_is_said(tmp_path: Path) -> None:
    hook = '[hook]\nkind = "webhook"\nurl = "http://127.0.0.1:1/"\n'
    (tmp_path / "r.toml").write_text(hook + hook.replace("[hook]", "[pager]") + 'owners = ["shop"]\n')
    receivers = Receivers(tmp_path / "r.toml")
    (wrong, right) = (
        Rule(id=name, metric="lcp", where={"app": "demo"}, notify=notify)
        for name, notify in (("wrong", ["hok"]), ("right", ["pager"]))
    )
    assert receivers.complaints([wrong, right]) == [], "there are no receivers yet"
    receivers.refresh()
    assert [receiver.name for receiver in receivers.of(wrong)] == ["hook"]
    assert [receiver.name for receiver in receivers.of(right)] == ["pager"]
    (said,) = receivers.complaints([wrong, right])
    assert said.startswith(
        "rule wrong: notify names 'hok', and r.toml has no such receiver (it has hook, pager); name one"
    )


def test_links_hold_for_two_weeks_and_for_what_they_were_signed_for(tmp_path: Path) -> None:
    signer = Signer(tmp_path / "data" / "key")
    token = signer.sign({"rule": "lcp"}, now=1_000.0)
    assert (Signer(tmp_path / "data" / "key").read(token, now=2_000.0) or {})["rule"] == "lcp"
    assert signer.read(token, now=1_000.0 + 15 * 86_400) is None
    assert signer.read("A" + token[1:], now=2_000.0) is None
    assert signer.read("nonsense", now=2_000.0) is None
    assert (tmp_path / "data" / "key").stat().st_mode & 0o077 == 0
