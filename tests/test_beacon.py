"""The decoder against the columns: what it lets through fits, what does not fit is refused, nothing is bent."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.beacon import Beacon, Envelope, Event, decode
from collector.enrich import enrich
from collector.outcomes import Outcome, Refused
from collector.spool import checksummed
from collector.store import Store
from tests.conftest import GOLDEN, a_beacon, an_arrival, as_bytes

# For every numeric field of an event: the least and the greatest value that is kept, and values beyond.
EDGES: dict[str, tuple[float, float, list[float]]] = {
    "value": (-1.7e308, 1.7e308, []),
    "duration_ms": (0, 86_400_000, [-0.001, 86_400_001, 1e39]),
    "stall_ms": (0, 86_400_000, [-1, 86_400_001]),
    "status_code": (0, 65_535, [-1, 65_536, 70_000, 200.5]),
    "bytes": (0, 2**53, [-1, 2**53 + 1, 2**64]),
    "batch": (0, 2**32 - 1, [-1, 2**32]),
    "burst": (0, 2**32 - 1, [-1, 2**32]),
    "duplicates": (0, 2**32 - 1, [-1, 2**32]),
    "items": (0, 2**32 - 1, [-1, 2**32]),
    "count": (0, 2**32 - 1, [-1, 2**32]),
    "depth_px": (0, 2**32 - 1, [-1, 2**32]),
    "distance_px": (-(2**31), 2**31 - 1, [-(2**31) - 1, 2**31]),
}
TEXTS = {
    "name": 256, "target": 256, "url": 2_048, "cause": 32, "failure": 32, "initiator": 32, "trace_source": 32,
    "error_type": 128, "message": 1_024, "stack": 16_384, "breadcrumbs": 8_192,
}  # fmt: skip
IDS = {"trace_id": 32, "span_id": 16, "parent_span_id": 16, "server_span_id": 16}
OTHERS = {"type", "at", "phases", "abandoned", "crumbs", "attributes", "clamped", "endpoint", "fingerprint"}


def one(field: str, value: Any) -> Event | None:
    """The event as decoded when one field has this value, None when it was refused."""
    try:
        return decode(as_bytes(a_beacon({"type": "resource", field: value}))).events[0]
    except IndexError:
        return None


def test_every_field_of_an_event_is_walked() -> None:
    assert set(Event.__struct_fields__) == set(EDGES) | set(TEXTS) | set(IDS) | OTHERS


@pytest.mark.parametrize("field", EDGES)
def test_numbers_are_kept_to_the_edge_and_refused_beyond(field: str, store: Store) -> None:
    least, greatest, beyond = EDGES[field]
    events = [{"type": "resource", field: value} for value in (least, greatest)] + [{"type": "resource"}]
    beacon = decode(as_bytes(a_beacon(*events)))
    line = enrich(beacon, an_arrival())
    store.insert(checksummed(msgspec.json.encode(line)), token="edges")
    stored = [row["v"] for row in store.read(f"SELECT {field} AS v FROM events ORDER BY event_id")]
    assert stored == [least, greatest, None], "the least, the greatest, and unmeasured is NULL, never 0"
    for value in [*beyond, "7", True, [], {}]:
        assert one(field, value) is None, value
    assert one(field, None) is not None


@pytest.mark.parametrize("field", TEXTS)
def test_texts_are_kept_to_their_limit_and_refused_beyond(field: str) -> None:
    event = one(field, "ü" * TEXTS[field])
    assert event
    assert getattr(event, field) == "ü" * TEXTS[field]
    for value in ["x" * (TEXTS[field] + 1), 7, None, ["x"]]:
        assert one(field, value) is None, value


@pytest.mark.parametrize("field", IDS)
def test_ids_are_lower_case_hexadecimal_of_their_length(field: str) -> None:
    length = IDS[field]
    assert one(field, "0f" * (length // 2))
    assert one(field, "")
    for value in ["0f" * (length // 2) + "\n", "0F" * (length // 2), "g" * length, "a" * (length - 1), 5, None]:
        assert one(field, value) is None, value


def test_what_enrich_decides_cannot_be_sent() -> None:
    beacon = decode(as_bytes(a_beacon({"type": "error", "fingerprint": "mine", "endpoint": "/mine", "clamped": True})))
    enrich(beacon, an_arrival())
    (event,) = beacon.events
    assert (event.endpoint, event.clamped) == ("", False)
    assert event.fingerprint != "mine"
    assert decode(as_bytes(a_beacon() | {"refused": {"torn": 5}})).refused == {}


def test_times_are_clamped_and_marked() -> None:
    beacon = decode(as_bytes(a_beacon(*({"type": "mark", "name": "m", "at": at} for at in (-1e300, -5, 1e12)))))
    enrich(beacon, an_arrival())
    assert [(e.at, e.clamped) for e in beacon.events] == [(-3_600_000, True), (-5, False), (86_400_000, True)]


def test_the_wire_page_lists_every_field_and_every_outcome() -> None:
    wire = (Path(__file__).parent.parent / "docs" / "wire.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", wire))
    decided_here = {"clamped", "endpoint", "fingerprint"}
    assert set(Envelope.__struct_fields__) | set(Event.__struct_fields__) - decided_here <= named
    spoken_at_b = {o for o in Outcome if not o.startswith(("span_", "bad_otlp", "bad_token"))}
    assert {str(o) for o in spoken_at_b} <= named


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
golden = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))] or [a_beacon()]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(golden), st.data())
def test_a_mutated_beacon_ends_in_a_named_outcome(beacon: dict[str, Any], data: st.DataObject) -> None:
    mutant = json.loads(json.dumps(beacon))
    for _ in range(data.draw(st.integers(1, 4))):
        event = data.draw(st.sampled_from([mutant, *[e for e in mutant["events"] if isinstance(e, dict)]]))
        field = data.draw(st.sampled_from(sorted(event)) | st.sampled_from(Event.__struct_fields__))
        if field == "events":
            continue
        event[field] = data.draw(json_values)
    body = json.dumps(mutant).encode(errors="surrogatepass")
    try:
        kept = decode(body)
    except Refused as refusal:
        assert refusal.outcome.status in {400, 403}
        return
    assert isinstance(kept, Beacon)
    assert len(kept.events) + sum(kept.refused.values()) == len(beacon["events"])
    msgspec.json.encode(enrich(kept, an_arrival()))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(golden), st.integers(0, 2**20), st.binary(max_size=12), st.booleans())
def test_a_damaged_body_ends_in_a_named_outcome(beacon: dict[str, Any], at: int, noise: bytes, cut: bool) -> None:
    body = json.dumps(beacon).encode()
    at %= len(body)
    damaged = body[:at] + noise + (b"" if cut else body[at + len(noise) :])
    try:
        decode(damaged)
    except Refused as refusal:
        assert refusal.outcome.status == 400


def test_a_tail_stands_for_nobody_and_is_accepted() -> None:
    assert decode(as_bytes(a_beacon() | {"sample_n": 0})).sample_n == 0
