"""Resources and the pipeline: costs of others, and whether one may trust the data, by counting the rows that were made."""

from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

import pytest
from markupsafe import escape

from dashboards.setup import FIXES
from tests.pages.conftest import Seeded
from tests.pages.planted import THIRD_PARTIES, Day
from tests.pages.test_overview import p75

LOST_VIEWS, LATE_MS = 30, 90_000


@pytest.fixture(scope="module")
def lossy(day: Seeded) -> None:
    """In app `few`: views whose second of three beacons never came, one event that came late, and refusals."""
    shop = Day(3, day.question.at, "few")
    for i in range(100):
        view = shop.visit("/products/:id", shop.now_ms - 300_000 + i * 1_000, viewport_height=800)
        lines = [line for line in shop.traffic.lines if line.get("view_id") == view["view_id"]]
        if i < LOST_VIEWS:
            lines[1]["seq"] = 2
        if i == 50:
            lines[1]["received_at"] = shop.now_ms - 1_000
    shop.refuse("rate_limited", 40)
    shop.refuse("repeat", 2)
    shop.refuse("client_queue_full", 9)
    day.insert(shop.traffic, "lossy")


def read(day: Seeded, path: str) -> dict[str, Any]:
    data: dict[str, Any] = day.client.get(path).json()
    assert "problems" not in data
    return data


def test_third_parties_are_counted_by_view(day: Seeded) -> None:
    rows = {row["host"]: row for row in read(day, "/resources.json?range=24h")["third_parties"]}
    by_host: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for line, event in day.traffic.events("resource"):
        if event["url"].startswith("http"):
            by_host[urlsplit(event["url"]).netloc].append((line["view_id"], event))
    assert set(rows) == set(by_host) == {urlsplit(url).netloc for url, *_ in THIRD_PARTIES}
    for host, loads in by_host.items():
        row = rows[host]
        assert (row["assets"], row["views"]) == (len(loads), len({view for view, _ in loads}))
        assert row["total_bytes"] == sum(event["bytes"] for _, event in loads)
        assert row["failures"] == sum(bool(event["failure"]) for _, event in loads)
        assert row["duration_ms_p75"] == pytest.approx(p75([event["duration_ms"] for _, event in loads]))


def test_a_third_party_answers_for_the_long_frames_of_its_scripts(day: Seeded) -> None:
    shop = Day(4, day.question.at, "sampled")
    shop.visit("/checkout", shop.now_ms - 60_000, viewport_height=800, sample_n=3)
    frame = {"type": "longframe", "at": 90.0, "name": "frame", "duration_ms": 200.0, "value": 150.0}
    tag = "https://cdn.metrics.example/tag.js"
    shop.traffic.lines[0]["events"] += [frame | {"url": tag}, frame | {"url": "/own.js"}]
    shop.traffic.lines[0]["events"].append(
        {
            "type": "resource",
            "at": 1.0,
            "url": "https://cdn.metrics.example",
            "count": 4,
            "bytes": 10,
            "initiator": "third-party",
        }
    )
    day.insert(shop.traffic, "blocking")
    rows = {row["host"]: row for row in read(day, "/resources.json?app=sampled")["third_parties"]}
    row = rows["cdn.metrics.example"]
    assert (row["frames"], row["blocking_ms"]) == (3, 450.0), "weighted by what the session stands for"
    assert row["assets"] in {12, 15}, "a sum of four, and its script if the dice gave it"
    assert row["views"] == 3


def test_own_assets_are_told(day: Seeded) -> None:
    rows = {row["asset"]: row for row in read(day, "/resources.json?range=24h")["assets"]}
    assert set(rows) == {"/assets/app.4f2a91c0.js", "/assets/app.css"}
    assert all(row["times"] == len(day.traffic.views) for row in rows.values())


def test_lost_beacons_are_told_by_gaps(day: Seeded, lossy: None) -> None:
    data = read(day, "/pipeline.json?app=few")
    (sender,) = data["senders"]
    assert (sender["missing"], sender["beacons"]) == (LOST_VIEWS, 200)
    assert data["loss_rate"] == pytest.approx(LOST_VIEWS / (200 + LOST_VIEWS))
    assert sender["late"] > 0
    html = day.client.get("/pipeline?app=few").text
    assert f"{LOST_VIEWS} of {200 + LOST_VIEWS} beacons" in html


def test_what_was_refused_has_its_sentence_and_its_remedy(day: Seeded, lossy: None) -> None:
    data = read(day, "/pipeline.json?app=few")
    told = {(row["outcome"], row["app"]): row["events"] for row in data["outcomes"]}
    assert told["rate_limited", "few"] == 40
    assert told["client_queue_full", "few"] == 9
    assert data["stored"] == day.value("SELECT sum(n) FROM outcomes WHERE app = 'few' AND outcome = 'stored'")
    assert data["refused"] == 42
    html = day.client.get("/pipeline?app=few").text
    assert escape(FIXES["rate_limited"]) in html
    assert "Cost nothing: 2" in html


def test_a_quiet_pipeline_says_so(day: Seeded) -> None:
    html = day.client.get("/pipeline?range=15m").text
    assert "nothing</span> was refused" in html
    assert "No view of empty has arrived yet" in day.client.get("/pipeline?app=empty").text
