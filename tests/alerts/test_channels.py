"""What Slack and apprise put on the wire, as a receiver on this machine reads it."""

import json
from collections.abc import Iterator

import pytest

from collector.notify.channels import Failed, Refused, send
from collector.notify.message import Message
from collector.notify.receivers import Receiver
from tests.alerts.conftest import NOW
from tests.alerts.test_notify import Ear

MESSAGE = Message(
    "i" * 32, "i" * 32, NOW, "[Firing] LCP: <script> & co", "/pay p75 LCP 3.1 s > 2.5 s\nn = 412",
    [("Trace", "http://rum.example/traces/1"), ("Acknowledge", "http://rum.example/ack?a=1&b=2")],
)  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


def slack(url: str) -> Receiver:
    return Receiver("chat", "slack", (), {"url": url})


def other(receiver: Ear, scheme: str) -> Receiver:
    return Receiver("chat", "apprise", (), {"urls": [receiver.url.replace("http://", f"{scheme}://")]})


def test_slack_gets_one_text_in_its_own_marks(receiver: Ear) -> None:
    """https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped, links stand in <…|…>."""
    send(slack(receiver.url), MESSAGE)
    ((headers, body),) = receiver.heard
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "text": "*[Firing] LCP: &lt;script&gt; &amp; co*\n/pay p75 LCP 3.1 s &gt; 2.5 s\nn = 412\n"
        "<http://rum.example/traces/1|Trace> · <http://rum.example/ack?a=1&b=2|Acknowledge>"
    }


def test_slack_that_fails_is_asked_again_unless_it_says_never(receiver: Ear) -> None:
    receiver.answers = [429, 404]
    with pytest.raises(Failed) as failed:
        send(slack(receiver.url), MESSAGE)
    assert failed.value.wait_s == 77
    with pytest.raises(Refused) as refused:
        send(slack(receiver.url), MESSAGE)
    assert "s3cret" not in str(failed.value) + str(refused.value)


def test_apprise_hands_over_subject_text_and_links(receiver: Ear) -> None:
    send(other(receiver, "json"), MESSAGE)
    ((_, body),) = receiver.heard
    heard = json.loads(body)
    assert heard["title"] == "[Firing] LCP: <script> & co"
    assert heard["message"].splitlines() == [
        "/pay p75 LCP 3.1 s > 2.5 s", "n = 412", "", "Trace: http://rum.example/traces/1",
        "Acknowledge: http://rum.example/ack?a=1&b=2",
    ]  # fmt: skip


def test_apprise_that_could_not_deliver_is_asked_again(receiver: Ear) -> None:
    receiver.answers = [500]
    with pytest.raises(Failed, match="could not deliver"):
        send(other(receiver, "json"), MESSAGE)


def test_an_address_apprise_does_not_know_is_refused_without_being_shown(receiver: Ear) -> None:
    with pytest.raises(Refused) as refused:
        send(other(receiver, "no-such-service"), MESSAGE)
    assert "address 1" in str(refused.value)
    assert "s3cret" not in str(refused.value)
