"""Notices: real receivers, and the ways in which they fail; nothing is lost, and nothing is told twice but by its id."""

import hmac
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from collector.alerts.evaluate import Sight
from collector.alerts.flips import Book
from collector.alerts.folder import Folder
from collector.alerts.state import Flip, Measurement
from collector.alerts.text import read
from collector.notify.deliver import Deliverer
from collector.notify.links import Signer
from collector.notify.message import Writer
from collector.notify.receivers import Receivers
from collector.query.alerts import attempts_since
from collector.store import StoreAway
from tests.alerts.conftest import NOW, Ear, History
from tests.conftest import free_port, wait_until
from tests.conftest import send as ask

RULES = """
- {id: lcp, title: LCP of the shop, owner: web, metric: lcp, aggregate: p75, where: {app: demo}, group_by: [route],
   fire: {above: 2500, min_users: 5}, repeat: 4h}
- {id: lcp-app, metric: lcp, aggregate: p75, where: {app: demo}, fire: {above: 2500}}
- {id: errors, metric: errors, aggregate: count, where: {app: demo}, window: {min: 10m, max: 10m}, fire: {above: 2}}
- {id: poor, metric: lcp, aggregate: share_poor, where: {app: demo}, fire: {above: 0.1}}
"""
RULE, APP_RULE, ERROR_RULE, SHARE_RULE = read(RULES)


class Office:
    """A deliverer whose clock a test moves, over flips a test writes."""

    def __init__(self, history: History, folder: Path, receivers: str) -> None:
        (folder / "rules").mkdir(exist_ok=True)
        (folder / "rules" / "shop.yaml").write_text(RULES)
        (folder / "receivers.toml").write_text(receivers)
        self.folder, self.store, self.now = folder, history.store, NOW
        self.book = Book(history.store)
        self.sight = Sight(folder / "blind.json")
        self.signer = Signer(folder / "key")
        self.deliverer = self.another()

    def another(self) -> Deliverer:
        rules = Folder(self.folder / "rules")
        rules.refresh()
        return Deliverer(
            self.store, rules, Receivers(self.folder / "receivers.toml"), self.sight,
            Writer(self.store, self.signer, "http://rum.example"), self.folder / "told.json", "http://rum.example",
            lambda: self.now,
        )  # fmt: skip

    def flip(
        self, after: str, route: str = "/pay", rule: Any = RULE, seq: int = 1, fired: datetime | None = None
    ) -> None:
        before = {"firing": "pending", "ok": "recovering"}.get(after, "ok")
        found = Measurement(
            self.now, self.now - timedelta(minutes=10), 3_100.0, 2_900.0, 3_400.0, 412, 233, 99, 2_500.0
        )
        group = (("route", route),) if rule.group_by else ()
        fired_at = fired or (self.now if after == "firing" else None)
        self.book.write(rule, Flip(rule.id, group, seq, self.now, before, after, fired_at, found))

    def step(self, minutes: float = 0) -> int:
        self.now += timedelta(minutes=minutes)
        return self.deliverer.step()


def hook(url: str, more: str = "") -> str:
    return f'[hook]\nkind = "webhook"\nurl = "{url}"\n{more}'


def test_a_story_is_told_once_repeated_and_ended(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url, 'secret = "k"'))
    office.flip("firing")
    office.flip("firing", "/basket")
    assert office.step() == 1, "groups that began together are one notice"
    assert office.step() == 0
    headers, body = ear.heard[0]
    moment, signature = headers["x-farside-signature"].removeprefix("t=").split(",v1=")
    assert hmac.new(b"k", moment.encode() + b"." + body, sha256).hexdigest() == signature
    said = json.loads(body)
    assert {g["group"]["route"] for g in said["groups"]} == {"/pay", "/basket"}
    line = "/pay p75 LCP 3.1 s (2.9 s – 3.4 s, n = 412 in 10 min, 233 users), limit 2.5 s, since 12:00 UTC"
    assert line in said["text"]
    assert said["links"]["What is different"].startswith("http://rum.example/compare?")
    assert office.step(239) == 0
    assert office.step(2) == 1
    office.flip("ok", seq=2, fired=NOW)
    office.flip("ok", "/basket", seq=2, fired=NOW)
    assert office.step() == 1
    assert ear.kinds == ["firing", "repeat", "resolved"]
    assert "is good again after 4 h 1 min" in json.loads(ear.heard[2][1])["text"]
    assert len({json.loads(body)["thread"] for _, body in ear.heard}) == 1


def test_a_notice_of_errors_says_which_and_leads_to_one(history: History, tmp_path: Path, ear: Ear) -> None:
    for nr in range(6):
        message = "cart is\n undefined" if nr % 3 else "no such voucher " + "x" * 200
        error = {"type": "error", "at": 5.0, "error_type": "TypeError", "message": message, "fingerprint": message[:4]}
        history.view(NOW - timedelta(minutes=nr + 1), more=[error], route=f"/{nr}")
    history.view(NOW - timedelta(minutes=30), more=[{"type": "error", "at": 5.0, "message": "before that time"}])
    history.write()
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing", rule=ERROR_RULE)
    office.step()
    said = json.loads(ear.heard[0][1])
    assert "most of all “TypeError: cart is undefined”, 4 of 6 errors, last on /1" in said["text"]
    assert re.fullmatch(r"http://rum.example/traces/[0-9a-f]{32}", said["links"]["A trace with an error"])
    assert not any("slow" in words for words in said["links"])


def test_the_example_of_a_share_that_is_poor_is_poor(history: History, tmp_path: Path, ear: Ear) -> None:
    for nr in range(5):
        history.view(NOW - timedelta(minutes=nr + 1), 3_000.0)
    poor = history.view(NOW - timedelta(minutes=6), 5_000.0)
    history.write()
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing", rule=SHARE_RULE)
    office.step()
    assert json.loads(ear.heard[0][1])["links"]["A typical slow trace"] == f"http://rum.example/traces/{poor}"


def test_it_is_tried_until_somebody_has_it(history: History, tmp_path: Path, ear: Ear, caplog: Any) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing")
    ear.answers = ["close", 500, 429, 200]
    assert [office.step(), office.step(), office.step(0.2), office.step(0.6)] == [1, 0, 1, 1]
    assert office.step(1) == 0, "429 asked for 77 seconds"
    assert [office.step(0.5), office.step(60)] == [1, 0]
    ends = [a.outcome for a in attempts_since(history.store, NOW - timedelta(days=1)) if a.outcome != "claimed"]
    assert ends == ["failed", "failed", "failed", "sent"]
    assert len({json.loads(body)["id"] for _, body in ear.heard}) == 1, "the id stays, so a receiver knows it"
    assert "s3cret" not in caplog.text
    assert not history.store.read("SELECT 1 FROM attempts WHERE said LIKE '%s3cret%'")


@pytest.mark.parametrize("answer", [400, 401, 404, 410, 302])
def test_who_refuses_for_good_is_not_asked_again(history: History, tmp_path: Path, ear: Ear, answer: int) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing")
    ear.answers = [answer]
    assert [office.step(), office.step(60)] == [1, 0]
    last = attempts_since(history.store, NOW - timedelta(days=1))[-1]
    assert (last.outcome, str(answer) in last.said) == ("refused", True)


def test_killed_at_any_moment_nothing_is_lost(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing")

    class Killed(BaseException):
        """As good as kill -9: nothing after it runs."""

    def die(*_: Any) -> None:
        raise Killed

    for moment in ("before the claim", "after the claim", "after the send"):
        office.deliverer = office.another()
        patched = {"before the claim": "_claim", "after the claim": "_writer", "after the send": "_write"}[moment]
        if moment == "after the claim":
            office.deliverer._writer.write = die  # type: ignore[method-assign]
        elif moment == "after the send":
            write = office.deliverer._write
            office.deliverer._write = (  # type: ignore[method-assign]
                lambda notice, outcome, *rest, write=write: (
                    write(notice, outcome, *rest) if outcome == "claimed" else die()
                )
            )
        else:
            setattr(office.deliverer, patched, die)
        with pytest.raises(Killed):
            office.step(2)
    office.deliverer = office.another()
    assert office.step(0.5) == 0, "another may still be at it"
    assert office.step(1) == 1
    assert office.step(5) == 0
    assert len(ear.heard) == 2
    assert len({headers["idempotency-key"] for headers, _ in ear.heard}) == 1


def test_two_deliverers_tell_it_once(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    pair = [office.another(), office.another()]
    for nr in range(6):
        office.flip("firing", f"/{nr}")
        office.now += timedelta(minutes=5)
        threads = [threading.Thread(target=one.step) for one in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ear.heard) == 6


def test_silence_acknowledgement_and_inhibition_keep_quiet(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    quiet = {"id": "s", "rule": "lcp", "group_key": "", "starts_at": NOW, "ends_at": NOW + timedelta(hours=1),
             "who": "me", "why": ""}  # fmt: skip
    history.store.append("silences", [quiet])
    office.flip("firing")
    assert office.step() == 0
    assert office.step(61) == 1, "what still fires when the silence ends is told then"
    taken = {"rule": "lcp", "group_key": "route=/pay", "fired_at": NOW, "who": "me"}
    history.store.append("acknowledgements", [taken])
    assert office.step(600) == 0, "no repeats for what somebody has taken on"
    office.flip("firing", rule=APP_RULE)
    office.now += timedelta(minutes=5)
    office.flip("firing", "/basket")
    assert office.step() == 1
    assert json.loads(ear.heard[-1][1])["rule"] == "lcp-app", "the app says it for its routes"


def test_blindness_is_told_once_and_so_is_its_end(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    office.sight.lose(office.now, "the store does not answer")
    office.step(1)
    assert not ear.heard, "a restart wakes nobody"
    for _ in range(3):
        office.deliverer = office.another()  # killed and started again
        office.step(2)
    assert ear.kinds == ["blind"]
    office.sight.regain()
    office.step()
    office.step()
    assert ear.kinds == ["blind", "blind_over"]


def test_a_store_that_is_away_loses_nothing(history: History, tmp_path: Path, ear: Ear) -> None:
    office = Office(history, tmp_path, hook(ear.url))
    office.flip("firing")

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise StoreAway("connection refused")

    office.deliverer.store = Away()  # type: ignore[assignment]
    with pytest.raises(StoreAway):
        office.step()
    office.deliverer.store = history.store
    assert office.step(5) == 1


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if not program:
        pytest.skip("no alertmanager here and none to be had; tests/install_browser.sh installs it where it can")
    (tmp_path / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    process = subprocess.Popen(
        [program, f"--config.file={tmp_path / 'am.yml'}", f"--storage.path={tmp_path / 'am'}",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return ask(f"{url}/-/ready").status == 200
        except OSError:
            return False

    wait_until(is_up, timeout_s=30)
    yield url
    process.terminate()
    process.wait(10)


def test_a_real_alertmanager(history: History, tmp_path: Path, alertmanager: str) -> None:
    office = Office(history, tmp_path, f'[am]\nkind = "alertmanager"\nurl = "{alertmanager}"\n')
    # A little ago: Alertmanager takes an end that is still to come for one more deadline, and keeps the later of the two.
    office.now = office.deliverer._refreshed_at = datetime.now(NOW.tzinfo) - timedelta(seconds=10)
    office.flip("firing")
    began = office.now
    assert office.step() == 1
    (alert,) = json.loads(ask(f"{alertmanager}/api/v2/alerts").body)
    assert alert["labels"] == {"alertname": "lcp", "rule": "lcp", "app": "demo", "owner": "web", "group_route": "/pay"}
    assert "3.1 s" in alert["annotations"]["summary"]
    until = alert["endsAt"]
    office.step(6)
    (alert,) = json.loads(ask(f"{alertmanager}/api/v2/alerts").body)
    assert alert["endsAt"] > until, "it is told again before it would take silence for the end"
    office.now = began + timedelta(seconds=1)
    office.flip("ok", seq=2, fired=began)
    assert office.step() == 1
    wait_until(lambda: json.loads(ask(f"{alertmanager}/api/v2/alerts?active=true").body) == [])
