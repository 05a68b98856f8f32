"""Resources: what pages load, and what others' assets cost: number, bytes, time, blocking, failures."""

from dataclasses import dataclass

from collector.query.question import Question, ask
from collector.query.vitals import Percentile, percentile
from collector.store import Store

THIRD_PARTIES = 40
ASSETS = 40


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """One other host: `views` that loaded something of it, and the time its scripts held up the page in long frames."""

    host: str
    assets: int
    views: int
    total_bytes: int
    failures: int
    frames: int
    blocking_ms: float
    took: Percentile | None


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of the page's own; `view_id` is the view in which it took longest."""

    asset: str
    initiator: str
    times: int
    views: int
    total_bytes: int
    p50_bytes: int
    failures: int
    view_id: str
    took: Percentile | None


def other_hosts(store: Store, question: Question) -> list[ThirdParty]:
    """Other hosts, those with most bytes first."""
    return [
        ThirdParty(
            row["host"], row["assets"], row["views"], row["total_bytes"], row["failures"], row["frames"],
            row["blocking_ms"], percentile(row, "") if row["n"] else None,
        )
        for row in ask(store, "other_hosts", question, limit=THIRD_PARTIES)
    ]  # fmt: skip


def assets(store: Store, question: Question) -> list[Asset]:
    """The page's own assets, those with most bytes first."""
    return [
        Asset(
            row["asset"], row["initiator"], row["times"], row["views"], row["total_bytes"], row["p50_bytes"],
            row["failures"], row["view_id"], percentile(row, "") if row["n"] else None,
        )
        for row in ask(store, "assets", question, limit=ASSETS)
    ]  # fmt: skip
