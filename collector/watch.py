"""Watch: alerts at work in one process: rules, evaluator, deliverer, and what people change about them.

Every route that changes something lies behind the gate and is written into the audit first, but one: an acknowledgement
from a notice carries its own signature, so that it can be given from a phone at night.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from collector import audit
from collector.alerts.evaluate import Evaluator, Sight
from collector.alerts.flips import Book
from collector.alerts.folder import Folder, ready
from collector.alerts.rules import Rule, Span
from collector.alerts.text import BadRules, read, write
from collector.caller import caller_of, form_of
from collector.gate import NO_STORE, local
from collector.notify.deliver import Deliverer
from collector.notify.links import Signer
from collector.notify.message import Writer
from collector.notify.receivers import Receivers
from collector.people import Person
from collector.refusing import told
from collector.settings import DEMO, Settings
from collector.store import Store, StoreAway

Change = Callable[[Request], Awaitable[Response]]
LONGEST_SILENCE = timedelta(days=30)


class Watch:
    """The parts of alerting over one store. `runs` says whether this process evaluates and delivers."""

    def __init__(self, settings: Settings, store: Store, watermark: Callable[[], datetime]) -> None:
        data = settings.data
        self.store, self.runs = store, settings.has("alerts")
        self.folder = Folder(
            settings.rules if settings.rules != Path() else data / "rules",
            DEMO.name if settings.demo_rules and settings.demo else "",
        )
        self.receivers = Receivers.of_settings(settings)
        self.sight = Sight(data / "alerts-blind.json")
        self.signer = Signer(data / "alerts.key")
        host, port = settings.private_address
        base = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.evaluator = Evaluator(Book(store), self.folder, watermark, self.sight)
        self.deliverer = Deliverer(
            store, self.folder, self.receivers, self.sight, Writer(store, self.signer, base),
            data / "alerts-told.json", base,
        )  # fmt: skip

    def start(self) -> None:
        """Look and tell, from now on, also while the store is away."""
        if self.runs:
            self.evaluator.start()
            self.deliverer.start()

    def close(self) -> None:
        """Stop both."""
        if self.runs:
            self.evaluator.close()
            self.deliverer.close()

    def routes(self) -> list[BaseRoute]:
        """What changes something."""
        return [
            Route("/acknowledge/{token}", self.acknowledge_from_notice, methods=["GET", "POST"]),
            Route("/alerts/acknowledge", _answering(self.acknowledge), methods=["POST"]),
            Route("/alerts/silence", _answering(self.silence), methods=["POST"]),
            Route("/alerts/unsilence", _answering(self.unsilence), methods=["POST"]),
            Route("/rules/save", _answering(self.save), methods=["POST"]),
            Route("/rules/remove", _answering(self.remove), methods=["POST"]),
            Route("/rules/switch", _answering(self.switch), methods=["POST"]),
        ]

    async def acknowledge_from_notice(self, request: Request) -> Response:
        """A signed link: a look shows a button, because mail programs look at links; the button acknowledges."""
        facts = self.signer.read(request.path_params["token"])
        if facts is None:
            return _small_page("This link is not ours, or too old.", "Acknowledge it on the page of alerts.", 403)
        rule = self.folder.rules.get(facts["rule"])
        title = rule.title if rule and rule.title else facts["rule"]
        since = datetime.fromtimestamp(int(facts["fired_at"]) / 1000, UTC)
        what = f"{title}{': ' if facts['group'] else ''}{facts['group']}, since {since:%d %b %H:%M} UTC."
        if request.method == "GET":
            then = "Nobody is told of it again while it lasts; its end is told."
            return _small_page("Do you take it on?", f"{what} {then}", 200, "I take it on", facts["rule"])
        try:
            await anyio.to_thread.run_sync(self._acknowledge, Person("a notice", "editor", "link"), facts)
        except StoreAway:
            return _small_page("The store does not answer.", "Nothing was written down. Try again in a minute.", 503)
        return _small_page("It is yours.", f"{what} It is not told again while it lasts.", 200, rule=facts["rule"])

    async def acknowledge(self, request: Request) -> Response:
        """The button on the page of alerts."""
        form = await form_of(request)
        facts = {name: form.get(name, "") for name in ("rule", "group", "fired_at")}
        if not facts["fired_at"].isdigit():
            raise BadRules(["which episode it is about is missing"])
        await anyio.to_thread.run_sync(self._acknowledge, caller_of(request).person, facts)
        return _back(form)

    def _acknowledge(self, person: Person, facts: Mapping[str, str]) -> None:
        fired_at = datetime.fromtimestamp(int(facts["fired_at"]) / 1000, UTC)
        audit.record(
            self.store, person, "alert acknowledged", facts["rule"],
            after={"group": facts["group"], "fired_at": fired_at.isoformat()},
        )  # fmt: skip
        row = {"rule": facts["rule"], "group_key": facts["group"], "fired_at": fired_at, "who": person.name}
        self.store.append("acknowledgements", [row], f"{facts['rule']}/{facts['group']}/{facts['fired_at']}/taken")

    async def silence(self, request: Request) -> Response:
        """Quiet for a while: a group, a rule, or everything."""
        form = await form_of(request)
        try:
            lasts = min(Span(form.get("for", "")).delta, LONGEST_SILENCE)
        except ValueError:
            raise BadRules([f"for = {form.get('for', '')!r}: it should be a length of time such as 2h or 1d"]) from None
        now = datetime.now(UTC)
        row = {
            "id": secrets.token_hex(8), "rule": form.get("rule", ""), "group_key": form.get("group", ""),
            "starts_at": now, "ends_at": now + lasts, "who": caller_of(request).person.name,
            "why": form.get("why", "")[:500],
        }  # fmt: skip
        await anyio.to_thread.run_sync(self._silence, caller_of(request).person, "alert silenced", row)
        return _back(form)

    async def unsilence(self, request: Request) -> Response:
        """The end of a silence, now."""
        form = await form_of(request)
        now = datetime.now(UTC)
        row = {
            "id": form.get("id", ""), "rule": form.get("rule", ""), "group_key": form.get("group", ""), "starts_at": now,
            "ends_at": now, "who": caller_of(request).person.name, "why": "ended",
        }  # fmt: skip
        await anyio.to_thread.run_sync(self._silence, caller_of(request).person, "silence ended", row)
        return _back(form)

    def _silence(self, person: Person, action: str, row: dict[str, object]) -> None:
        facts = {name: str(value) for name, value in row.items() if name != "id"}
        audit.record(self.store, person, action, str(row["rule"] or "everything"), after=facts)
        self.store.append("silences", [row])

    async def save(self, request: Request) -> Response:
        """A rule from the form: the same text a file would hold."""
        form = await form_of(request)
        rules = read(form.get("text", ""), "the form")
        if len(rules) != 1:
            raise BadRules([f"the form:1: it holds {len(rules)} rules; write one"])
        await anyio.to_thread.run_sync(self._put, caller_of(request).person, rules[0])
        return RedirectResponse(f"/rules?rule={rules[0].id}", 303, NO_STORE)

    async def switch(self, request: Request) -> Response:
        """A rule that comes with Farside, for an app; or a rule of ours on and off."""
        form = await form_of(request)
        name, app = form.get("rule", ""), form.get("app", "")
        known = self.folder.rules.get(name)
        if known is None and name in ready():
            known = msgspec.structs.replace(ready()[name], where=ready()[name].where | {"app": app}, enabled=False)
        if known is None:
            raise BadRules([f"there is no rule {name!r}"])
        changed = msgspec.structs.replace(known, enabled=not known.enabled)
        await anyio.to_thread.run_sync(self._put, caller_of(request).person, changed)
        return _back(form)

    async def remove(self, request: Request) -> Response:
        """A rule that has a file of its own."""
        form = await form_of(request)
        await anyio.to_thread.run_sync(partial(self._put, caller_of(request).person, None, form.get("rule", "")))
        return _back(form)

    def _put(self, person: Person, rule: Rule | None, name: str = "") -> None:
        name = rule.id if rule else name
        before = self.folder.rules.get(name)
        self.folder.check_owned(name)
        audit.record(
            self.store, person, "rule saved" if rule else "rule removed", name, app=(rule or before or DEMO_RULE).app,
            before={"text": write(before)} if before else {}, after={"text": write(rule)} if rule else {},
        )  # fmt: skip
        if rule:
            self.folder.put(rule)
        else:
            self.folder.remove(name)


DEMO_RULE = Rule(id="none", where={"app": ""})


def _back(form: Mapping[str, str]) -> Response:
    return RedirectResponse(local(form.get("next", "/alerts")), 303, NO_STORE)


def _answering(change: Change) -> Change:
    async def answer(request: Request) -> Response:
        try:
            return await change(request)
        except BadRules as error:
            return await told(request, error.complaints, 422)
        except StoreAway as error:
            return await told(
                request, [f"nothing was changed, the store does not answer: {error}"], 503, retry_after_s=5
            )

    return answer


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:12vh auto;padding:0 20px}"
    "h1{font-size:22px}button{font:inherit;padding:8px 18px}"
)
NOTHING_ELSE = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def _small_page(title: str, text: str, status: int, button: str = "", rule: str = "") -> Response:
    """What a notice's link opens; it needs nothing but itself, for whoever opens it may not be signed in."""
    form = f'<form method="post"><button>{escape(button)}</button></form>' if button else ""
    see = f'<p><a href="/alerts?{urlencode({"rule": rule})}">See it on the page of alerts</a></p>' if rule else ""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)} · Farside</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}{see}</html>"
    )
    policy = f"{NOTHING_ELSE}; style-src 'sha256-{STYLE_HASH}'"
    return HTMLResponse(html, status, NO_STORE | {"content-security-policy": policy})
