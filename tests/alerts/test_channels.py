"""What Slack, apprise and mail put on the wire, as a receiver on this machine reads it."""

import email
import json
from email import policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from collector.notify.channels import Failed, Refused, send
from collector.notify.message import Message
from collector.notify.receivers import Receiver
from tests.alerts.conftest import NOW, Ear
from tests.conftest import free_port

MESSAGE = Message(
    "i" * 32, "i" * 32, NOW, "[Firing] LCP: <script> & co", "/pay p75 LCP 3.1 s > 2.5 s\nn = 412",
    [("Trace", "http://rum.example/traces/1"), ("Acknowledge", "http://rum.example/ack?a=1&b=2")],
)  # fmt: skip


def slack(url: str) -> Receiver:
    return Receiver("chat", "slack", (), {"url": url})


def other(ear: Ear, scheme: str) -> Receiver:
    return Receiver("chat", "apprise", (), {"urls": [ear.url.replace("http://", f"{scheme}://")]})


def test_slack_gets_one_text_in_its_own_marks(ear: Ear) -> None:
    """https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped, links stand in <…|…>."""
    send(slack(ear.url), MESSAGE)
    ((headers, body),) = ear.heard
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "text": "*[Firing] LCP: &lt;script&gt; &amp; co*\n/pay p75 LCP 3.1 s &gt; 2.5 s\nn = 412\n"
        "<http://rum.example/traces/1|Trace> · <http://rum.example/ack?a=1&b=2|Acknowledge>"
    }


def test_slack_that_fails_is_asked_again_unless_it_says_never(ear: Ear) -> None:
    ear.answers = [429, 404]
    with pytest.raises(Failed) as failed:
        send(slack(ear.url), MESSAGE)
    assert failed.value.wait_s == 77
    with pytest.raises(Refused) as refused:
        send(slack(ear.url), MESSAGE)
    assert "s3cret" not in str(failed.value) + str(refused.value)


def test_apprise_hands_over_subject_text_and_links(ear: Ear) -> None:
    send(other(ear, "json"), MESSAGE)
    ((_, body),) = ear.heard
    heard = json.loads(body)
    assert heard["title"] == "[Firing] LCP: <script> & co"
    assert heard["message"].splitlines() == [
        "/pay p75 LCP 3.1 s > 2.5 s", "n = 412", "", "Trace: http://rum.example/traces/1",
        "Acknowledge: http://rum.example/ack?a=1&b=2",
    ]  # fmt: skip


def test_apprise_that_could_not_deliver_is_asked_again(ear: Ear) -> None:
    ear.answers = [500]
    with pytest.raises(Failed, match="could not deliver"):
        send(other(ear, "json"), MESSAGE)


def test_an_address_apprise_does_not_know_is_refused_without_being_shown(ear: Ear) -> None:
    with pytest.raises(Refused) as refused:
        send(other(ear, "no-such-service"), MESSAGE)
    assert "address 1" in str(refused.value)
    assert "s3cret" not in str(refused.value)


class Box:
    """A mail server that answers as it is told."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answer = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer:
            return self.answer
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 kept"


def test_mail() -> None:
    box, port = Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    values = {"host": "127.0.0.1", "port": port, "security": "none", "from": "rum@shop.example", "to": ["a@x.example"]}
    receiver = Receiver("mail", "smtp", (), values)
    try:
        send(receiver, MESSAGE)
        (letter,) = box.letters
        assert letter["Subject"] == MESSAGE.subject
        assert letter["Message-ID"] == f"<{MESSAGE.id}@shop.example>"
        assert "/pay p75 LCP 3.1 s" in letter.get_content()
        assert "http://rum.example/traces/1" in letter.get_content()
        for answer, kind in (("451 later", Failed), ("554 never", Refused)):
            box.answer = answer
            with pytest.raises(kind, match=answer[:3]):
                send(receiver, MESSAGE)
        with pytest.raises(Refused, match="cannot do"):
            send(Receiver("mail", "smtp", (), values | {"security": "starttls"}), MESSAGE)
    finally:
        controller.stop()
    with pytest.raises(Failed, match="could not be reached"):
        send(receiver, MESSAGE)
