"""The page of feeds: the planted flood is found, and every number is what the rows say, by plain Python."""

from collections import defaultdict
from typing import Any

import pytest

from collector.query.feeds import EDGES, FEWEST_VIEWS
from dashboards.feeds import height_words
from tests.pages.conftest import Seeded
from tests.pages.planted import FLOOD, FLOODED_FROM, FLOODED_ROUTE, Day


def p(level: float, values: list[float]) -> float:
    """What ClickHouse's exact quantile is."""
    return sorted(values)[int(len(values) * level)]


@pytest.fixture(scope="module")
def data(day: Seeded) -> dict[str, Any]:
    found: dict[str, Any] = day.client.get("/feeds.json?range=24h").json()
    assert "problems" not in found
    return found


def requests_by_view(day: Seeded) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line, _ in day.traffic.events("fetch"):
        found[line["view_id"]] += 1
    return found


def test_the_planted_flood_is_ranked_first(day: Seeded, data: dict[str, Any]) -> None:
    first, *others = data["heights"]
    assert (first["route"], first["height_from_px"]) == (FLOODED_ROUTE, FLOODED_FROM)
    assert FLOOD * 0.6 < first["times"] < FLOOD * 1.6
    assert first["is_suspect"]
    assert not any(other["is_suspect"] for other in others), "and nothing else is blamed"
    html = day.client.get("/feeds?range=24h").text
    finding = html.split('<ol class="findings">')[1].split("</ol>")[0]
    assert finding.count("<li") == 1
    assert FLOODED_ROUTE in finding
    assert f"/views/{first['view_id']}?" in finding, "the view that asked most is one click away"
    assert "too many" in finding


def test_a_flood_in_few_views_is_first_but_not_called_sure(day: Seeded) -> None:
    shop = Day(31, day.question.at, "few")
    for i in range(40):
        tall = i % 8 == 0
        height = FLOODED_FROM + 100 if tall else 700
        shop.visit(FLOODED_ROUTE, shop.now_ms - 400_000 + i * 5_000, viewport_height=height)
    day.insert(shop.traffic, "few tall ones")
    first = day.client.get("/feeds.json?app=few").json()["heights"][0]
    assert (first["route"], first["height_from_px"], first["views"]) == (FLOODED_ROUTE, FLOODED_FROM, 5)
    html = day.client.get("/feeds?app=few").text
    assert "even</span>" not in html
    assert first["is_suspect"] or "perhaps" in html


def test_without_the_flooded_route_nothing_is_blamed(day: Seeded) -> None:
    html = day.client.get("/feeds?range=24h&route=/products/:id").text
    assert "▲" not in html.split('id="heights"')[1].split("</section>")[0]
    assert "No route asks for clearly more" in html


def test_a_cell_counts_the_requests_of_its_views(day: Seeded, data: dict[str, Any]) -> None:
    made = requests_by_view(day)
    cells: dict[tuple[str, int], list[int]] = defaultdict(list)
    for view in day.traffic.views:
        edge = max(edge for edge in EDGES if edge <= view["viewport_height"])
        cells[view["route"], edge].append(made[view["view_id"]])
    told = {(row["route"], row["height_from_px"]): row for row in data["heights"]}
    assert set(told) == set(cells)
    for place, counts in cells.items():
        row = told[place]
        assert (row["views"], row["requests"], row["most"]) == (len(counts), sum(counts), max(counts))
        assert made[row["view_id"]] == max(counts)
        others = [n for other, ns in cells.items() if other[0] == place[0] and other != place for n in ns]
        if len(counts) >= FEWEST_VIEWS and len(others) >= FEWEST_VIEWS:
            rate, elsewhere = sum(counts) / len(counts), sum(others) / len(others)
            assert row["times"] == pytest.approx(rate / max(1.0, elsewhere))
            assert row["times_at_least"] <= row["times"]
        else:
            assert row["times"] is None, "too few to compare"


def test_types_of_pages_agree_with_the_overview(day: Seeded, data: dict[str, Any]) -> None:
    overview = {row["route"]: row for row in day.client.get("/overview.json?range=24h").json()["routes"]}
    assert {row["route"] for row in data["page_types"]} == set(overview)
    made = requests_by_view(day)
    for row in data["page_types"]:
        assert (row["views"], row["total"]) == (overview[row["route"]]["views"], overview[row["route"]]["requests"])
        counts = [float(made[view["view_id"]]) for view in day.traffic.views if view["route"] == row["route"]]
        assert row["p95"] == pytest.approx(p(0.95, counts), abs=1)
        assert sum(row[cause] for cause in ("load", "scroll", "input", "timer", "other")) == row["total"]
    assert [row["requests_per_view"] for row in data["page_types"]] == sorted(
        (row["requests_per_view"] for row in data["page_types"]), reverse=True
    )


def test_batches_are_told_one_by_one(day: Seeded, data: dict[str, Any]) -> None:
    by_batch: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for _, event in day.traffic.events("feed"):
        by_batch[event["batch"]].append(event)
    assert [row["nr"] for row in data["batches"]] == sorted(by_batch)
    for row in data["batches"]:
        events = by_batch[row["nr"]]
        assert row["loads"] == len(events)
        assert row["bursts"] == sum(event["burst"] > 1 for event in events)
        assert row["paint_ms_p75"] == pytest.approx(p(0.75, [event["duration_ms"] for event in events]))
        assert row["stall_ms_p95"] == pytest.approx(p(0.95, [event["stall_ms"] for event in events]))


def test_the_course_holds_every_load_once(day: Seeded, data: dict[str, Any]) -> None:
    html = day.client.get("/feeds?range=24h").text
    total = len(day.traffic.events("feed"))
    assert f"Feed loads over time: {total:,}, of which" in html


def test_a_filter_reaches_every_panel(day: Seeded) -> None:
    data = day.client.get("/feeds.json?range=24h&device=mobile").json()
    mobile = {view["view_id"] for view in day.traffic.views if view["device"] == "mobile"}
    assert sum(row["views"] for row in data["heights"]) == len(mobile)
    loads = [1 for line, _ in day.traffic.events("feed") if line["view_id"] in mobile]
    assert sum(row["loads"] for row in data["batches"]) == len(loads)


def test_an_app_without_feeds_says_so(day: Seeded) -> None:
    assert "No view of empty has arrived yet" in day.client.get("/feeds?app=empty").text
    calm = day.client.get("/feeds?range=24h&route=/basket").text
    assert "No page fetched more while somebody scrolled" in calm


def test_heights_are_told_in_words() -> None:
    assert [height_words(edge) for edge in (0, 900, 2_000)] == ["< 500", "900–999", "2,000+"]
