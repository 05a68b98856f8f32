"""Flags: which values ran, where they came from (live, cached, or the default because the service was away), how fast."""

from dataclasses import dataclass
from datetime import datetime

from collector.query.question import Question, ask
from collector.query.vitals import Percentile, percentile
from collector.query.weights import ask_weighing
from collector.store import Store

FLAGS = 30
VALUES = 8
SLICES = 40
VITALS = ("LCP", "INP")
AWAY_FROM = 0.05  # a slice in which so many views ran on the default counts as one in which the service was away


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a flag: views by source, and how fast pages with it were."""

    value: str
    views: int
    sources: dict[str, int]
    vitals: dict[str, Percentile]
    fetch: Percentile | None


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `slices`: number of slice → views by source."""

    name: str
    views: int
    values: list[Value]
    sources: dict[str, int]
    slices: dict[int, dict[str, int]]

    @property
    def on_default(self) -> int:
        """Views that ran on the default, because the flag service did not answer."""
        return self.sources.get("default", 0)

    def away(self, question: Question) -> list[tuple[datetime, datetime]]:
        """When the service was away: runs of slices in which AWAY_FROM of the views or more ran on the default."""
        step = question.span / SLICES
        found: list[tuple[datetime, datetime]] = []
        last = -2
        for nr, sources in sorted(self.slices.items()):
            if sources.get("default", 0) >= AWAY_FROM * sum(sources.values()):
                end = question.since + step * (nr + 1)
                start = found.pop()[0] if nr == last + 1 and found else question.since + step * nr
                found.append((start, end))
                last = nr
        return found


def flags(store: Store, question: Question) -> list[Flag]:
    """Flags, those that ran on the default most first."""
    rows = ask(store, "flag_values", question, slices=SLICES, values=VALUES, limit=FLAGS * VALUES)
    speeds = {
        (row["flag"], row["value"], row["name"]): percentile(row, "")
        for row in ask_weighing(store, "flag_vitals", question, types=["vital", "fetch"])
        if row["n"]
    }
    names = list(dict.fromkeys(row["flag"] for row in rows))
    found = []
    for name in names[:FLAGS]:
        own = [row for row in rows if row["flag"] == name]
        values = [
            Value(
                row["value"], row["views"], _sums([row["sources"]]),
                {vital: speeds[key] for vital in VITALS if (key := (name, row["value"], vital)) in speeds},
                speeds.get((name, row["value"], "fetch")),
            )
            for row in own
        ]  # fmt: skip
        slices: dict[int, dict[str, int]] = {}
        for row in own:
            for (nr, source), views in zip(row["slice_keys"], row["slice_views"], strict=True):
                part = slices.setdefault(nr, {})
                part[source] = part.get(source, 0) + views
        found.append(Flag(name, sum(v.views for v in values), values, _sums([v.sources for v in values]), slices))
    return sorted(found, key=lambda flag: (-flag.on_default, -flag.views, flag.name))


def _sums(maps: list[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in maps:
        for name, n in one.items():
            found[name] = found.get(name, 0) + n
    return found
