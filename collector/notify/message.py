"""Message: a notice in words: what, how much, since when, how sure, who, and where to look next.

One sentence for each group; the links lead to an example, to the comparison and to the numbers, all pinned to what was
measured: the page counts what the sentence counts.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from collector.alerts.flips import asked
from collector.alerts.rules import Rule
from collector.alerts.sense import aggregate, metric
from collector.notify.due import Notice
from collector.notify.examples import error_met, example
from collector.notify.explaining import explaining
from collector.notify.links import Signer
from collector.query.alerts import StoredFlip
from collector.query.compare import compare
from collector.query.fields import BadQuestion
from collector.query.question import Question
from collector.store import Store, StoreAway

MOST_GROUPS = 10
ALERTMANAGER_GRACE = timedelta(minutes=15)


@dataclass(frozen=True)
class Message:
    """What a channel sends. `thread` is the id of the first notice of the same story."""

    id: str
    thread: str
    at: datetime
    subject: str
    text: str
    links: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)


def amount(value: float | None, rule: Rule) -> str:
    """A value as the rule's metric is written: 3.1 s, 180 ms, 2.3 %, 0.112."""
    if value is None:
        return "–"
    known, how = metric(rule), aggregate(rule)
    if how.startswith("share_") or (known.unit == "share" and how == "rate"):
        return f"{100 * value:.3g} %"
    if known.unit == "ms" and how != "count":
        return f"{value / 1000:.3g} s" if value >= 999.5 else f"{value:.0f} ms"
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.3g}"


def subject_of(rule: Rule, group: dict[str, str]) -> str:
    """What a sentence is about: the group, or the app; and the metric."""
    what = ", ".join(value or f"no {name}" for name, value in group.items()) or rule.app
    known, how = metric(rule), aggregate(rule)
    name = known.name.upper() if known.limit else known.title[:1].lower() + known.title[1:]
    words = name if how in ("rate", "count") else f"{how.replace('_', ' ')} {name}"
    return f"{what} {words}"


def numbers(rule: Rule, flip: StoredFlip) -> str:
    """The value, where it surely lies, and what it rests on."""
    said = amount(flip.value, rule)
    within = []
    if flip.low is not None and flip.high is not None and flip.low != flip.high:
        within.append(f"{amount(flip.low, rule)} – {amount(flip.high, rule)}")
    lasted = f" in {_length(flip.at - flip.since)}" if flip.since and flip.since < flip.at else ""
    within.append(f"n = {flip.n:,}{lasted}")
    if flip.users:
        within.append(f"{flip.users:,} user{'s' if flip.users != 1 else ''}")
    return f"{said} ({', '.join(within)})"


def sentence(rule: Rule, flip: StoredFlip) -> str:
    """What a flip says, without what the comparison found."""
    about = subject_of(rule, flip.group)
    if flip.after == "error":
        return f"{rule.name} cannot be evaluated since {_time(flip.at)}: {flip.problem}"
    if flip.after == "no_data":
        return (
            f"{about}: nothing has come since {_time(flip.at - rule.silence_after)}; what the number is nobody knows."
        )
    if flip.after in ("ok", "learning"):
        lasted = f" after {_length(flip.at - flip.fired_at)}" if flip.fired_at else ""
        why = f" ({flip.problem})" if flip.problem else ""
        now = f": {numbers(rule, flip)}" if flip.value is not None else ""
        return f"{about} is good again{lasted}{why}{now}."
    limit = "" if flip.limit_value is None else f", limit {amount(flip.limit_value, rule)}"
    note = f" ({flip.note})" if flip.note else ""
    return f"{about} {numbers(rule, flip)}{limit}{note}, since {_time(flip.fired_at or flip.at)}"


def beyond(rule: Rule, question: Question, limit: float | None) -> Question:
    """The views beyond the limit against the rest, where views have a value; else this time against the one before."""
    known = metric(rule)
    if known.limit and limit is not None and rule.is_upward:
        return question.where_also(known.name, f">{limit:g}").asking(compare="rest")
    return question.asking(compare="before")


def question_of(rule: Rule, flip: StoredFlip) -> Question:
    """What was measured, as a question."""
    since = flip.since if flip.since and flip.since < flip.at else flip.at - timedelta(hours=1)
    also = (("release", flip.note.split()[1]),) if rule.kind == "release" and flip.note.startswith("release ") else ()
    return asked(rule, (*flip.group.items(), *also), since, flip.at)


def finding(store: Store, rule: Rule, flip: StoredFlip) -> tuple[str, Question]:
    """What is most different about the bad ones, half a sentence (empty where nothing stands out), and the comparison.

    The slow against the rest first; where all of them became slow, this time against the time before.
    """
    asks = question_of(rule, flip)
    stretched = asks.between(min(asks.since, asks.until - timedelta(hours=1)), asks.until).asking(compare="before")
    questions = [beyond(rule, asks, flip.limit_value), stretched]
    for question in questions:
        try:
            found = compare(store, question)
        except (StoreAway, BadQuestion):
            break
        best = next((one for one in found.findings if one.score and one.difference > 0), None)
        if best is not None:
            who = "slow views" if question.compare == "rest" and metric(rule).unit == "ms" else found.noun
            than = "of the others" if question.compare == "rest" else "before"
            named = ((name.replace("_", " "), value) for name, value in best.values)
            values = " · ".join(f"{name} {value}" if value else f"no {name}" for name, value in named)
            chosen, others = (f"{100 * share:.0f} %" for share in (best.chosen_share, best.others_share))
            return f"{chosen} of the {who} have {values}, against {others} {than}", question
    return "", questions[0]


def remarks(store: Store, rule: Rule, flip: StoredFlip) -> tuple[str, Question]:
    """What follows the sentence: the error that is met most, where the rule counts errors, and what the comparison found;
    and the comparison."""
    found, compared = finding(store, rule, flip)
    met = error_met(store, rule, question_of(rule, flip))
    return "; ".join(part for part in (met, found) if part), compared


class Writer:
    """Makes messages of notices. `base` is the address under which people reach the pages."""

    def __init__(self, store: Store, signer: Signer, base: str) -> None:
        self._store, self._signer, self._base = store, signer, base.rstrip("/")

    def write(self, notice: Notice, now: datetime) -> Message:
        """A notice in words."""
        rule, flips = notice.rule, notice.flips[:MOST_GROUPS]
        words = {"firing": "Firing", "repeat": "Still firing", "resolved": "Resolved", "no_data": "No data",
                 "error": "Cannot be evaluated"}.get(notice.kind, "Over")  # fmt: skip
        is_bad = notice.kind in ("firing", "repeat")
        findings = [remarks(self._store, rule, flip) for flip in flips] if is_bad else []
        lines = [sentence(rule, flip) for flip in flips]
        if is_bad:
            lines = [
                f"{line}; {found}." if found else f"{line}." for line, (found, _) in zip(lines, findings, strict=True)
            ]
        if len(notice.flips) > MOST_GROUPS:
            lines.append(f"and {len(notice.flips) - MOST_GROUPS} more groups.")
        first = flips[0]
        about = subject_of(rule, first.group) if len(flips) == 1 else f"{len(notice.flips)} groups"
        links = self._links(rule, first, findings[0][1] if findings else None)
        thread = Notice("firing", rule, notice.receiver, (), notice.key.split("/firing")[0] + "/firing").id
        facts = {
            "version": 1, "id": notice.id, "thread": thread, "kind": notice.kind, "rule": rule.id, "title": rule.name,
            "owner": rule.owner, "app": rule.app, "text": "\n".join(lines),
            "groups": [_facts(flip, self._base) for flip in notice.flips],
            "links": dict(links),
        }  # fmt: skip
        alerts = [_alert(notice, rule, flip, self._base, line, now) for flip, line in zip(flips, lines, strict=False)]
        subject = f"[{words}] {rule.name}: {about}"
        return Message(notice.id, thread, now, subject, "\n".join(lines), links, facts, alerts)

    def _links(self, rule: Rule, flip: StoredFlip, compared: Question | None) -> list[tuple[str, str]]:
        if compared is None:
            return [("The alert", f"{self._base}/alerts?rule={quote(rule.id)}")]
        found, measured = [], question_of(rule, flip)
        words, path = example(self._store, rule, flip, measured)
        if path:
            found.append((words, self._base + path))
        words, path = explaining(rule, flip, measured)
        found.append((words, self._base + path))
        found.append(("What is different", self._base + compared.link("/compare")))
        found.append(("The numbers", self._base + measured.link("/explore")))
        found.append(("The alert", f"{self._base}/alerts?rule={quote(rule.id)}"))
        if flip.fired_at:
            facts = {"rule": rule.id, "group": flip.group_key, "fired_at": str(int(flip.fired_at.timestamp() * 1000))}
            found.append(("I take it on", f"{self._base}/acknowledge/{self._signer.sign(facts)}"))
        return found


def _facts(flip: StoredFlip, base: str) -> dict[str, Any]:
    return {
        "group": flip.group, "state": flip.after, "at": flip.at.isoformat(), "value": flip.value, "low": flip.low,
        "high": flip.high, "n": flip.n, "users": flip.users, "limit": flip.limit_value, "note": flip.note,
        "since": flip.fired_at.isoformat() if flip.fired_at else None, "numbers": base + flip.question,
    }  # fmt: skip


def _alert(notice: Notice, rule: Rule, flip: StoredFlip, base: str, line: str, now: datetime) -> dict[str, Any]:
    """One alert as Alertmanager wants it: labels are who it is, and never change while it lasts."""
    is_over = notice.kind == "resolved" or notice.kind.endswith("_over")
    name = {"no_data": "FarsideNoData", "error": "FarsideError"}.get(notice.kind.removesuffix("_over"), rule.id)
    labels = {"alertname": name, "rule": rule.id, "app": rule.app, "owner": rule.owner} | {
        f"group_{key}": value for key, value in flip.group.items()
    }
    begun = flip.fired_at or flip.at
    return {
        "labels": {key: value for key, value in labels.items() if value},
        "annotations": {"summary": line, "description": rule.about},
        "startsAt": begun.isoformat(),
        "endsAt": (flip.at if is_over else now + ALERTMANAGER_GRACE).isoformat(),
        "generatorURL": base + flip.question,
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M UTC")


def _length(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if span < timedelta(minutes=1):
        return f"{span.total_seconds():.0f} s"
    if minutes < 100 and minutes != 60:
        return f"{minutes} min"
    hours = f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return hours if minutes < 2_880 else f"{minutes // 1_440} days"


def blind_message(
    key: str, subject: str, text: str, base: str, begun: datetime, now: datetime, is_over: bool
) -> Message:
    """What is said when nothing can be seen: no rule and no store is needed for it."""
    facts = {"version": 1, "id": key, "thread": key, "kind": "blind_over" if is_over else "blind", "text": text}
    alert = {
        "labels": {"alertname": "FarsideBlind"}, "annotations": {"summary": text}, "startsAt": begun.isoformat(),
        "endsAt": (now if is_over else now + timedelta(days=1)).isoformat(), "generatorURL": f"{base}/alerts",
    }  # fmt: skip
    return Message(key, key, now, subject, text, [("The alerts", f"{base}/alerts")], facts, [alert])
