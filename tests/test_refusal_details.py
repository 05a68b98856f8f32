"""What was wrong with what the door refused: a few sentences of each kind reach the store, however many there are."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from collector.outcomes import DETAIL_CHARS, DETAILS_A_MINUTE, Outcome, Tally
from tests.conftest import Running, a_beacon

DETAILS = "SELECT app, outcome, detail FROM refusal_details FINAL ORDER BY ALL"


def test_one_who_knocks_with_a_new_origin_each_time_fills_no_disk() -> None:
    tally = Tally(CollectorRegistry())
    for nr in range(1_000):
        tally.refuse("demo", Outcome.ORIGIN_REFUSED, detail=f"add 'https://{nr}.example' to the origins")
        tally.refuse("", Outcome.UNKNOWN_KEY, detail="x" * 10_000)
    found = tally.drain_details()
    # Twice as many where the minute has turned meanwhile.
    origins = [row for row in found if row["outcome"] == "origin_refused"]
    assert len(origins) in (DETAILS_A_MINUTE, 2 * DETAILS_A_MINUTE)
    assert {len(str(row["detail"])) for row in found if row["app"] == ""} == {DETAIL_CHARS}
    assert sum(row["n"] for row in tally.drain()) == 2_000
    assert tally.drain_details() == []


def test_the_store_knows_which_origin_key_and_field(spawn: Callable[..., Running]) -> None:
    running = spawn()
    assert running.post(a_beacon(), origin="https://elsewhere.example").outcome == "origin_refused"
    assert running.post(a_beacon(key="nobody's")).outcome == "unknown_key"
    ill = a_beacon({"type": "view", "at": 0}, {"type": "mark", "name": "late", "at": "a@b.example"})
    assert running.post(ill).outcome == "stored"
    running.settled()
    found = [tuple(row.values()) for row in running.rows(DETAILS)]
    assert [(app, outcome) for app, outcome, _ in found] == [
        ("", "unknown_key"), ("demo", "event_invalid"), ("demo", "origin_refused"),
    ]  # fmt: skip
    assert '"nobody\'s" stands in no [apps.…]' in found[0][2]
    assert "`$.at`" in found[1][2]
    assert "https://elsewhere.example" in found[2][2]
