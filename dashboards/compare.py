"""Compare: what is different about the views one has chosen? Every dimension, all rows, combinations too, ranked."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query.compare import Comparison, Finding, compare, narrowed_to, said
from collector.query.metrics import LIMITS
from collector.query.question import COMPARES, Question
from dashboards.charts import Segment
from dashboards.numbers import NARROW, percent
from dashboards.site import Page, Site
from dashboards.twins import Row

FINDINGS = 12
VALUES = 6
DIMENSIONS = 36


async def page(site: Site, request: Request) -> Page:
    """The page at `/compare` and its twins."""
    q = site.question(request)
    panels = await site.ask(request, {"comparison": partial(compare, site.store, q)})
    found: Comparison | None = panels["comparison"].value
    more = [f for f in found.findings if f.difference > 0][:FINDINGS] if found else []
    less = [f for f in found.findings if f.difference < 0][:FINDINGS] if found else []
    context: dict[str, Any] = {
        "c": found, "more": more, "less": less, "values": VALUES, "COMPARES": COMPARES, "said": said, "pair": pair,
        "words": words, "points": points, "often": often, "narrowed_to": narrowed_to, "starts": starts(q),
        "dimensions": found.dimensions[:DIMENSIONS] if found else [],
    }  # fmt: skip
    tables = {
        "findings": [row(f) for f in found.findings] if found else [],
        "dimensions": [row(f) for d in found.dimensions for f in d.findings] if found else [],
    }
    facts: dict[str, Any] = {}
    if found:
        facts = {
            "compared_with": found.against, "what": found.noun, "chosen": found.chosen, "others": found.others,
            "chosen_n": found.chosen_n, "others_n": found.others_n,
        }  # fmt: skip
    return Page("compare.html", f"{q.app}: compare", q, "/compare", panels, tables, facts, context)


def starts(question: Question) -> list[tuple[str, Question]]:
    """What one may want to choose, where nothing is chosen yet."""
    slow = [
        (f"views with a poor {name}", question.where_also(name.lower(), f">{LIMITS[name].poor:g}"))
        for name in ("LCP", "INP", "CLS")
    ]
    return [*slow, ("views with an error", question.where_also("type", "error"))]


def row(finding: Finding) -> Row:
    """One finding, flat."""
    return {
        "what": words(finding),
        "chosen_share": finding.chosen_share,
        "others_share": finding.others_share,
        "difference": finding.difference,
        "low": finding.low,
        "high": finding.high,
        "score": finding.score,
        "chosen": finding.chosen,
        "others": finding.others,
        "chosen_n": finding.chosen_n,
        "others_n": finding.others_n,
        "same_as": " · ".join(f"{name} {value or '(none)'}" for name, value in finding.same),
    }


def words(finding: Finding) -> str:
    """What a finding is about: browser Safari · release 2.14."""
    return " · ".join(f"{name} {value or '(none)'}" for name, value in finding.values)


def pair(finding: Finding) -> Sequence[tuple[str, Segment]]:
    """The two shares as bars over each other, in percent of the width."""
    shares = (("chosen", finding.chosen_share), ("others", finding.others_share))
    return [(side, Segment(side, 0.0, round(100 * share, 3), percent(share))) for side, share in shares]


def points(share: float) -> str:
    """A difference of two shares, in points of a hundred: +69, −3, 0.4."""
    value = 100 * share
    digits = f"{abs(value):.0f}" if abs(value) >= 9.95 else f"{abs(value):.1f}"
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{digits}"


def often(finding: Finding) -> str:
    """How many times as often: 45 ×; nothing where that says little."""
    times = finding.times
    if not finding.chosen_share:
        return "never among the chosen"
    if not finding.others_share:
        return "never among the others"
    if times is None:
        return ""
    if finding.difference > 0:
        return f"{times:.0f}{NARROW}× as often" if times >= 10 else f"{times:.1f}{NARROW}× as often"
    return f"{1 / times:.1f}{NARROW}× less often" if times else ""
