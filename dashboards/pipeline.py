"""Pipeline: may I trust the data? Received = stored + refused, each with its remedy; losses, lateness, joins, lag."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import joins, markers, overview, pipeline
from collector.query.joins import REASONS, Joined
from collector.query.markers import Marker
from collector.query.pipeline import Entry, Sender
from collector.query.question import Question
from collector.query.vitals import BUCKETS
from dashboards import plots
from dashboards.numbers import count
from dashboards.setup import FIXES, QUIET, meaning
from dashboards.site import Page, Site

LOSSY = 0.02  # beacons lost by share from which on it is called out


@dataclass(frozen=True, slots=True)
class Line:
    """One outcome over the whole time."""

    app: str
    outcome: str
    events: int
    last_minute: datetime
    meaning: str
    fix: str
    details: list[str]

    @property
    def is_by_client(self) -> bool:
        """Whether the snippet dropped these itself, and told."""
        return self.outcome.startswith("client_")


async def page(site: Site, request: Request) -> Page:
    """The page at `/pipeline` and its twins."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {
            "ledger": partial(pipeline.ledger, site.store, q),
            "senders": partial(pipeline.senders, site.store, q),
            "joined": partial(joins.joined, site.store, q),
            "lag": partial(pipeline.lag, site.store, q),
            "details": partial(overview.refusal_details, site.store, q, q.span),
            "markers": partial(markers.markers, site.store, q),
        },
    )
    entries: list[Entry] = panels["ledger"].value or []
    lines = outcomes(entries, panels["details"].value or {})
    senders: list[Sender] = panels["senders"].value or []
    presence = None
    if panels["ledger"].is_answered and not lines and not senders:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = found["presence"].value
    joined: Joined | None = panels["joined"].value
    stored = sum(line.events for line in lines if line.outcome == "stored" and line.app)
    refused = [line for line in lines if line.outcome != "stored" and not line.is_by_client]
    expected, missing = sum(s.expected for s in senders), sum(s.missing for s in senders)
    facts: dict[str, Any] = {
        "stored": stored,
        "refused": sum(line.events for line in refused if line.app),
        "refused_of_nobody": sum(line.events for line in refused if not line.app),
        "client_drops": sum(line.events for line in lines if line.is_by_client),
        "loss_rate": missing / expected if expected else None,
        "joined_share": joined.all.joined / joined.all.due if joined and joined.all.due else None,
        "age_ms": (datetime.now(UTC) - q.until).total_seconds() * 1000 if q.is_live else None,
    }
    context = facts | {
        "presence": presence, "senders": senders, "joined": joined, "REASONS": REASONS, "LOSSY": LOSSY,
        "expected": expected, "missing": missing, "received": stored + facts["refused"],
        "shifted": sum(s.shifted for s in senders), "clocked": sum(s.n for s in senders),
        "late": sum(s.late for s in senders), "events": sum(s.events for s in senders),
        "refusals": [line for line in refused if line.outcome not in QUIET],
        "quiet": [line for line in refused if line.outcome in QUIET],
        "drops": [line for line in lines if line.is_by_client],
        "course": course(q, entries, stored, panels["markers"].value or []),
    }  # fmt: skip
    return Page("pipeline.html", "Pipeline", q, "/pipeline", panels, tables(lines, senders, joined), facts, context)


def outcomes(entries: Sequence[Entry], details: Mapping[tuple[str, str], list[str]]) -> list[Line]:
    """Each outcome over the whole time, the most frequent first."""
    found: dict[tuple[str, str], tuple[int, datetime]] = {}
    for entry in entries:
        events, last = found.get((entry.app, entry.outcome), (0, entry.last_minute))
        found[entry.app, entry.outcome] = events + entry.events, max(last, entry.last_minute)
    lines = [
        Line(app, outcome, events, last, meaning(outcome), FIXES.get(outcome, ""), details.get((app, outcome), []))
        for (app, outcome), (events, last) in found.items()
    ]
    return sorted(lines, key=lambda line: (-line.events, line.outcome, line.app))


def course(q: Question, entries: Sequence[Entry], stored: int, changed: Sequence[Marker]) -> plots.Plot | None:
    """Events over time: stored below, refused above, those of no known app too. Spans are of no app, and not counted."""
    by_slice: dict[int, dict[str, int]] = {}
    for entry in entries:
        is_of_spans = not entry.app and entry.outcome == "stored"
        if not entry.outcome.startswith("client_") and not is_of_spans and 0 <= entry.bucket < BUCKETS:
            kind = "once" if entry.outcome == "stored" else "again"
            own = by_slice.setdefault(entry.bucket, {"once": 0, "again": 0})
            own[kind] += entry.events
    if not by_slice:
        return None
    values = [
        (
            nr,
            [(kind, float(n)) for kind, n in own.items()],
            f"{count(own['once'])} stored, {count(own['again'])} refused",
        )
        for nr, own in sorted(by_slice.items())
    ]
    refused = sum(own["again"] for own in by_slice.values())
    sentence = f"Events over time: {count(stored)} stored, {count(refused)} refused."
    return plots.columns(values, BUCKETS, q, changed, sentence, heads={"once": "stored", "again": "refused"})


def tables(lines: Sequence[Line], senders: Sequence[Sender], joined: Joined | None) -> dict[str, list[dict[str, Any]]]:
    """Everything as rows."""
    shares = [joined.all, *joined.routes] if joined else []
    return {
        "outcomes": [asdict(line) for line in lines],
        "senders": [{**asdict(sender), "expected": sender.expected} for sender in senders],
        "joined": [
            {"route": share.name, "requests": share.requests, "joined": share.joined, "due": share.due, **share.misses}
            for share in shares
        ],
    }
