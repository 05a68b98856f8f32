"""Search: what is looked for is found, all of it and nothing else, and a trace is one click away."""

import math
import re
from typing import Any

import pytest
from playwright.sync_api import Browser

from collector.query import search
from collector.query.joins import joined
from collector.query.search import Wanted, traces_found
from tests.pages.conftest import Seeded


def in_the_hour(seeded: Seeded) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every backend span that came within the question's hour, with its view."""
    views = {view["trace_id"]: view for view in seeded.traffic.views}
    since = seeded.question.at - 3_600_000
    lines = [line for line in seeded.traffic.lines if since < line["received_at"] <= seeded.question.at]
    return [(views[span["trace_id"]], span) for line in lines for span in line.get("spans", [])]


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"service": "image"}, lambda view, span: span["service"] == "image"),
        ({"operation": "SELECT sto"}, lambda view, span: span["name"] == "SELECT stock"),
        ({"service": "web", "longer": "300"}, lambda view, span: span["service"] == "web" and span["duration_ns"] >= 3e8),
        ({"service": "image", "shorter": "20"}, lambda _, span: span["service"] == "image" and span["duration_ns"] <= 2e7),
        ({"attribute": "http.route=/checkout"}, lambda view, span: span["attributes"].get("http.route") == "/checkout"),
        ({"attribute": "db.system.name"}, lambda view, span: "db.system.name" in span["attributes"]),
        ({"service": "web", "route": "/basket"}, lambda view, span: span["service"] == "web" and view["route"] == "/basket"),
        ({"service": "web", "release": "2.14.0"}, lambda v, span: span["service"] == "web" and v["release"] == "2.14.0"),
        ({"service": "nobody"}, lambda view, span: False),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(seeded: Seeded, asked: dict[str, str], fits: Any) -> None:
    expected = [span for view, span in in_the_hour(seeded) if fits(view, span)]
    reply = seeded.client.get("/traces.json", params=asked | {"sort": "slowest"}).json()
    traces = {span["trace_id"] for span in expected}
    assert (reply["spans"], len(traces)) == (len(expected), reply["all_traces"])
    assert {row["trace_id"] for row in reply["traces"]} <= traces
    assert len(reply["traces"]) == min(len(traces), 300)
    lengths = [row["duration_ms"] for row in reply["traces"]]
    assert lengths == sorted(lengths, reverse=True)
    if expected:
        assert math.isclose(lengths[0], max(span["duration_ns"] for span in expected) / 1e6)


def test_errors_are_found(seeded: Seeded) -> None:
    failed = {
        line["trace_id"]
        for line, event in seeded.traffic.events("fetch")
        if event["status_code"] == 500 and line["received_at"] > seeded.question.at - 3_600_000
    }
    reply = seeded.client.get("/traces.json?failed=1").json()
    assert {row["trace_id"] for row in reply["traces"]} == failed
    assert all(row["failed"] for row in reply["traces"])


@pytest.mark.parametrize("asked", ["longer=abc", "shorter=-1", "sort=random", "longer=1e99"])
def test_nonsense_is_refused_with_a_sentence(seeded: Seeded, asked: str) -> None:
    reply = seeded.client.get(f"/traces.json?{asked}")
    assert reply.status_code == 400
    assert asked.split("=")[0] in reply.json()["problem"]


def test_the_joined_share_of_the_page_is_that_of_the_query(seeded: Seeded) -> None:
    reply = seeded.client.get("/traces.json").json()
    shares = joined(seeded.store, seeded.question)
    assert reply["joined"]["requests"] == shares.all.requests
    assert reply["joined"]["joined"] == shares.all.joined == shares.all.requests
    assert sum(row["requests"] for row in reply["joined_by_route"]) == shares.all.requests
    html = seeded.client.get("/traces").text
    assert f"of {shares.all.due:,} requests whose backend's span was" in html


def test_a_reader_looks_for_slow_calls_of_a_service_and_opens_the_slowest(seeded: Seeded, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{seeded.client.base_url}/traces?wait=1")
    page.get_by_label("Service").select_option("product")
    page.get_by_label("Longer than").fill("100")
    page.get_by_label("Sort").select_option("slowest")
    page.get_by_role("button", name="Look").click()
    row = page.locator("table.found tbody tr").first
    found = re.search(r"/traces/([0-9a-f]{32})", row.locator("a").first.get_attribute("href") or "")
    assert found
    spans = [span for _, span in in_the_hour(seeded) if span["service"] == "product"]
    assert found[1] == max(spans, key=lambda span: span["duration_ns"])["trace_id"]
    row.locator("a").first.click()
    page.get_by_role("tree").wait_for()
    assert found[1] in page.url
    context.close()


def test_dots_lie_within_their_box(seeded: Seeded) -> None:
    html = seeded.client.get("/traces?service=web").text
    dots = re.findall(r'cx="([\d.]+)%" cy="([\d.]+)"', html)
    assert len(dots) == len(seeded.client.get("/traces.json?service=web").json()["traces"]) > 100
    assert all(0 <= float(x) <= 100 and 14 <= float(y) <= 220 for x, y in dots)


def test_of_many_traces_the_whole_time_is_drawn_and_the_newest_are_listed(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = traces_found(seeded.store, seeded.question, Wanted())
    assert (whole.nth, whole.drawn) == (1, whole.found)
    monkeypatch.setattr(search, "FOUND", 60)
    some = traces_found(seeded.store, seeded.question, Wanted())
    assert (some.traces, some.nth) == (whole.traces, 4)
    assert some.found == whole.found[:60]
    by_id = {trace.trace_id: trace.started_at for trace in whole.found}
    drawn = sorted(by_id[trace.trace_id] for trace in some.drawn)
    assert 20 < len(drawn) <= 60
    assert drawn[0] < min(trace.started_at for trace in some.found), "not the newest alone"
    slowest = traces_found(seeded.store, seeded.question, Wanted(sort="slowest"))
    assert slowest.drawn == slowest.found
    html = seeded.client.get("/traces").text
    assert "one in 4 is drawn" in html
    assert len(re.findall(r"<circle class=.(?:fine|failed)", html)) == len(some.drawn)


def test_a_part_of_the_scatter_is_asked_about_and_what_was_looked_for_stays(seeded: Seeded, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{seeded.client.base_url}/traces?wait=1&service=web&longer=20")
    before = page.locator(".scatter circle").count()
    plane = page.locator(".scatter .plane")
    box = plane.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 90, steps=4)
    page.mouse.up()
    offered = page.locator(".scatter [data-chosen]")
    assert "Their traces" not in offered.inner_text(), "these are they"
    offered.get_by_role("link", name="Zoom to this time").click()
    page.wait_for_url("**from=**")
    assert page.get_by_label("Service").input_value() == "web"
    assert page.get_by_label("Longer than").input_value() == "20"
    assert 0 < page.locator(".scatter circle").count() < before
    page.locator(".shares-of-requests .plane").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".shares-of-requests [data-chosen]").get_by_role("link", name="Compare").count() == 1
    page.close()


def test_the_map_says_the_same_in_picture_table_and_twins(seeded: Seeded) -> None:
    html = seeded.client.get("/map").text
    rows = seeded.client.get("/map.json").json()["calls"]
    assert {(row["source"], row["target"]) for row in rows} == {
        ("browser", "web"), ("web", "product"), ("web", "image"), ("product", "sqlite"),
    }  # fmt: skip
    for row in rows:
        assert f'<th scope="row">{row["source"]} → <b>{row["target"]}</b>' in html
    assert html.count('class="reach"') == len(rows)
    assert sum(row["reads"] for row in rows) == next(row["calls"] for row in rows if row["target"] == "sqlite")
    assert "Set it up" in seeded.client.get("/map?route=/none&app=empty").text
    assert seeded.client.get("/map?new_since=never").status_code == 400
