"""Channels: how a message leaves: webhook, Slack, mail, Alertmanager, and through apprise everything else.

`send` returns when the receiver has it. Otherwise it raises `Refused`, which no second attempt would change, or `Failed`,
which one may. What either says holds none of the receiver's secrets.
"""

import hmac
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from hashlib import sha256
from http.client import HTTPException
from typing import IO, Any

from collector.notify.message import Message
from collector.notify.receivers import Receiver

TIMEOUT_S = 10
MOST_READ = 2_000
# A request that is wrong today is wrong tomorrow; all else may pass. https://www.rfc-editor.org/rfc/rfc9110#section-15.5
PERMANENT = {400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422}


class Refused(Exception):  # noqa: N818
    """The receiver does not take it, now or ever."""


class Failed(Exception):  # noqa: N818
    """It did not work this time; `wait_s` is how long the receiver asks to be left alone."""

    def __init__(self, sentence: str, wait_s: float = 0) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


def send(receiver: Receiver, message: Message) -> None:
    """Deliver a message, or raise `Refused` or `Failed`."""
    try:
        CHANNELS[receiver.kind](receiver, message)
    except Refused as error:
        raise Refused(receiver.hidden(str(error))[:500]) from None
    except Failed as error:
        raise Failed(receiver.hidden(str(error))[:500], error.wait_s) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """A webhook that moved is to be corrected by hand: what is sent there is not for strangers."""


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """POST to an address of the settings; any 2xx is good."""
    request = urllib.request.Request(url, body, {"user-agent": "farside", **headers}, method="POST")  # noqa: S310
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as reply:
            reply.read(MOST_READ)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(MOST_READ).decode(errors="replace").strip()[:200]
        sentence = f"it answered {error.code}{f': {said}' if said else ''}"
        if error.code in PERMANENT or 300 <= error.code < 400:
            raise Refused(sentence) from None
        raise Failed(sentence, _wait(error.headers.get("Retry-After", ""))) from None
    except (OSError, HTTPException, ValueError) as error:
        raise Failed(f"it could not be reached: {error}") from None


def _wait(text: str) -> float:
    return min(float(text), 3_600.0) if text.isascii() and text.isdigit() else 0.0


def webhook(receiver: Receiver, message: Message) -> None:
    """The message's facts as JSON, signed with `secret` over time and body, as docs/alerts.md tells how to check."""
    body = json.dumps(message.facts, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "x-farside-notice": message.id, "idempotency-key": message.id}
    if secret := str(receiver.values.get("secret", "")):
        moment = str(int(time.time()))
        digest = hmac.new(secret.encode(), moment.encode() + b"." + body, sha256).hexdigest()
        headers["x-farside-signature"] = f"t={moment},v1={digest}"
    post(str(receiver.values["url"]), body, headers)


def slack(receiver: Receiver, message: Message) -> None:
    """An incoming webhook of Slack, or of anything that speaks like it."""
    links = " · ".join(f"<{address}|{words}>" for words, address in message.links)
    text = f"*{_slack(message.subject)}*\n{_slack(message.text)}" + (f"\n{links}" if links else "")
    post(str(receiver.values["url"]), json.dumps({"text": text}).encode(), {"content-type": "application/json"})


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alertmanager(receiver: Receiver, message: Message) -> None:
    """Alertmanager's own API: each group an alert, known by its labels."""
    headers = {"content-type": "application/json"}
    if user := receiver.values.get("user"):
        word = b64encode(f"{user}:{receiver.values.get('password', '')}".encode()).decode()
        headers["authorization"] = f"Basic {word}"
    url = f"{str(receiver.values['url']).rstrip('/')}/api/v2/alerts"
    post(url, json.dumps(message.alerts).encode(), headers)


def mail(receiver: Receiver, message: Message) -> None:
    """One mail to all of `to`; its Message-ID is the notice's, so a second one is a known one."""
    values = receiver.values
    letter = EmailMessage()
    letter["Subject"] = message.subject.replace("\n", " ")
    letter["From"], letter["To"] = str(values["from"]), ", ".join(values["to"])
    letter["Date"] = format_datetime(message.at)
    domain = str(values["from"]).rpartition("@")[2].strip("> ") or make_msgid().rpartition("@")[2]
    letter["Message-ID"] = f"<{message.id}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    if message.thread != message.id:
        letter["References"] = f"<{message.thread}@{domain}>"
    links = "".join(f"\n{words}\n{address}\n" for words, address in message.links)
    letter.set_content(f"{message.text}\n{links}")
    try:
        _hand_over(values, letter)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        sentence = f"the mail server answered {error.smtp_code}: {said}"
        raise (Refused if 500 <= error.smtp_code < 600 else Failed)(sentence) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        sentence = f"the mail server takes none of the addresses ({', '.join(map(str, sorted(codes)))})"
        raise (Refused if all(500 <= code < 600 for code in codes) else Failed)(sentence) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(f"the mail server cannot do what is asked: {error}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"the mail server could not be reached: {error}") from None


def _hand_over(values: Any, letter: EmailMessage) -> None:
    host, port, security = str(values["host"]), int(values["port"]), values["security"]
    context = ssl.create_default_context()
    if security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    with server:
        if security == "starttls":
            server.starttls(context=context)
        if values.get("user"):
            server.login(str(values["user"]), str(values.get("password", "")))
        server.send_message(letter)


def other(receiver: Receiver, message: Message) -> None:
    """Everything apprise speaks: PagerDuty, Opsgenie, Teams, Telegram, ntfy and a hundred more."""
    try:
        import apprise  # an extra: `pip install "farside[apprise]"`
    except ImportError:
        raise Refused('apprise is not installed here: pip install "farside[apprise]"') from None
    room = apprise.Apprise()
    for nr, url in enumerate(receiver.values["urls"], 1):
        if not room.add(url):
            raise Refused(f"apprise does not understand address {nr} of its urls")
    links = "".join(f"\n{words}: {address}" for words, address in message.links)
    if not room.notify(title=message.subject, body=f"{message.text}\n{links}"):
        raise Failed("apprise could not deliver it; its log says why")


CHANNELS: dict[str, Callable[[Receiver, Message], None]] = {
    "webhook": webhook,
    "slack": slack,
    "smtp": mail,
    "alertmanager": alertmanager,
    "apprise": other,
}
