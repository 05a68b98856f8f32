"""The overview shows what the rows say: counts by SQL over raw rows, percentiles by plain Python."""

import csv
import io
import json
import math
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.query import overview, vitals
from collector.query.question import FILTERS, milliseconds
from collector.query.spread import interval, ranks
from collector.query.vitals import LIMITS
from tests.pages.conftest import Seeded, pages_over
from tests.pages.shop import Shop


def p75(values: list[float]) -> float:
    """What ClickHouse's quantileExact(0.75) is."""
    return sorted(values)[int(len(values) * 0.75)]


def in_range(seeded: Seeded, received_at: int) -> bool:
    return milliseconds(seeded.question.since) < received_at <= seeded.question.at


class Links(HTMLParser):
    """All addresses a page links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


@pytest.mark.parametrize("name", list(LIMITS))
def test_a_vital_is_the_p75_of_each_views_newest_report(seeded: Seeded, name: str) -> None:
    newest = [row for row in seeded.traffic.newest(name).values() if in_range(seeded, row[2])]
    seen = [value for value, visibility, _ in newest if visibility != "hidden"]
    assert len(seen) < len(newest), "the traffic has hidden views, which must not count"
    row = next(r for r in seeded.client.get("/overview.json").json()["vitals"] if r["name"] == name)
    assert row["n"] == len(seen)
    assert row["p75"] == pytest.approx(p75(seen), rel=1e-12)
    assert row["hidden"] == len(newest) - len(seen)
    limit = LIMITS[name]
    assert row["good"] == sum(value <= limit.good for value in seen)
    assert row["poor"] == sum(value > limit.poor for value in seen)
    assert row["good"] + row["needs_improvement"] + row["poor"] == len(seen)
    assert row["low"] < row["p75"] < row["high"]


def test_the_period_before_is_the_one_of_equal_length_before(seeded: Seeded) -> None:
    since = milliseconds(seeded.question.since)
    newest = seeded.traffic.newest("LCP", since - 3_600_000, since)
    then = [value for value, visibility, _ in newest.values() if visibility != "hidden"]
    row = seeded.client.get("/overview.json").json()["vitals"][0]
    assert (row["before_n"], row["before_p75"]) == (len(then), pytest.approx(p75(then), rel=1e-12))


def test_routes_count_what_the_rows_count(seeded: Seeded) -> None:
    rows = seeded.client.get("/overview.json").json()["routes"]
    assert {row["route"] for row in rows} == {"/", "/collections/:id", "/products/:id", "/basket", "/checkout"}
    for row in rows:
        where = (
            "app = 'demo' AND route = {route:String} AND received_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
        )
        for column, kind in (("views", "view"), ("requests", "fetch")):
            counted = seeded.value(
                f"SELECT count() FROM events WHERE {where} AND type = '{kind}'",
                route=row["route"], since=milliseconds(seeded.question.since),
            )  # fmt: skip
            assert row[column] == counted
        errors = seeded.value(
            f"SELECT sum(ifNull(count, 1)) FROM events WHERE {where} AND type = 'error'",
            route=row["route"], since=milliseconds(seeded.question.since),
        )  # fmt: skip
        assert row["errors"] == errors


def test_the_route_that_costs_most_stands_first(seeded: Seeded) -> None:
    """Loss by the book: 1 for a poor view, a half for one that needs improvement, the worst of three vitals decides."""
    cost = {"good": 0.0, "mixed": 0.5, "poor": 1.0}
    newest = {name: seeded.traffic.newest(name) for name in ("LCP", "INP", "CLS")}
    loss: dict[str, float] = {}
    for view in seeded.traffic.views:
        reports = [(name, newest[name][view["view_id"]]) for name in newest]
        costs = [cost[LIMITS[n].rate(r[0])] for n, r in reports if r[1] != "hidden" and in_range(seeded, r[2])]
        loss[view["route"]] = loss.get(view["route"], 0.0) + max(costs, default=0.0)
    rows = seeded.client.get("/overview.json").json()["routes"]
    assert {row["route"]: row["loss"] for row in rows} == loss
    assert [row["loss"] for row in rows] == sorted(loss.values(), reverse=True)


def test_a_feed_that_floods_its_backend_is_called_out(seeded: Seeded) -> None:
    loads = [(line, event) for line, event in seeded.traffic.events("feed") if in_range(seeded, line["received_at"])]
    (row,) = seeded.client.get("/overview.json").json()["feeds"]
    assert row["loads"] == len(loads)
    assert row["bursts"] == sum(event["burst"] > 1 for _, event in loads)
    assert row["duplicates"] == sum(event["duplicates"] > 0 for _, event in loads)
    assert row["worst_burst"] == max(event["burst"] for _, event in loads)
    assert row["paint_ms_p75"] == pytest.approx(p75([event["duration_ms"] for _, event in loads]))
    assert row["stall_ms_p75"] == pytest.approx(p75([event["stall_ms"] for _, event in loads]))
    assert row["loads_per_view"] == len(loads) / len({line["view_id"] for line, _ in loads})
    assert "self-made load" in seeded.client.get("/").text


def test_errors_are_grouped_and_counted(seeded: Seeded) -> None:
    met = [(line, event) for line, event in seeded.traffic.events("error") if in_range(seeded, line["received_at"])]
    rows = seeded.client.get("/overview.json").json()["errors"]
    assert sum(row["times"] for row in rows) == sum(event["count"] for _, event in met)
    for row in rows:
        own = [(line, event) for line, event in met if event["fingerprint"] == row["fingerprint"]]
        assert row["views"] == len({line["view_id"] for line, _ in own})
        assert row["users"] == len({line["user_id"] for line, _ in own} - {""})
        assert row["message"] == own[0][1]["message"]


def test_a_filter_narrows_every_panel_and_no_link_loses_it(seeded: Seeded) -> None:
    reply = seeded.client.get("/", params={"route": "/products/:id", "device": "mobile", "range": "24h"})
    rows = seeded.client.get(
        "/overview.json", params={"route": "/products/:id", "device": "mobile", "range": "24h"}
    ).json()
    chosen = [v for v in seeded.traffic.views if v["route"] == "/products/:id" and v["device"] == "mobile"]
    assert [row["views"] for row in rows["routes"]] == [len(chosen)]
    assert all(view["device"] == "mobile" and view["route"] == "/products/:id" for view in rows["views"])
    followed = 0
    for href in Links(reply.text).found:
        parts = urlsplit(href)
        asked = parse_qs(parts.query)
        if not asked or asked["app"] != ["demo"]:
            continue  # the skip link; another app has no such values
        label = (asked.get("route"), asked.get("device"))
        if "at" in asked or parts.path == "/setup":
            followed += 1
            assert label == (["/products/:id"], ["mobile"]), href
    assert followed > 20


def test_a_count_stays_what_it_was_behind_a_link(seeded: Seeded) -> None:
    """A link pins the watermark: what arrives later does not change what it opens."""
    href = next(href for href in Links(seeded.client.get("/").text).found if "route=" in href and "at=" in href)
    pinned = int(parse_qs(urlsplit(href).query)["at"][0])
    twin = href.replace("/routes?", "/routes.json?wait=1&", 1)
    before = seeded.client.get(twin).json()
    with pages_over(seeded.store, pinned + 60_000) as client:
        assert client.get(twin).json() == before
        assert "see now" in client.get(href).text


def test_few_views_are_greyed_and_wide(seeded: Seeded) -> None:
    shop = seeded.shop("few", seed=3)
    for i in range(39):
        shop.view("/", shop.now_ms - 60_000 - i * 1_000, visibility="visible")
    seeded.insert(shop.traffic, "few")
    (lcp, *_) = seeded.client.get("/overview.json?app=few").json()["vitals"]
    assert (lcp["n"], lcp["is_enough"]) == (39, False)
    html = seeded.client.get("/?app=few").text
    assert html.count("too few") == 5 + 2 + 1, "five vitals, two of one route, the depth of a feed"
    assert "needs improvement</span></p>" not in html, "what is too few is not rated"
    shop.traffic.lines.clear()
    shop.view("/", shop.now_ms - 20_000, visibility="visible")
    seeded.insert(shop.traffic, "one more")
    (lcp, *_) = seeded.client.get("/overview.json?app=few").json()["vitals"]
    assert (lcp["n"], lcp["is_enough"]) == (40, True)


def test_a_sampled_session_counts_as_those_it_stands_for(seeded: Seeded) -> None:
    shop = seeded.shop("sampled", seed=4)
    for i in range(60):
        shop.view("/", shop.now_ms - 60_000 - i * 1_000, visibility="visible", sample_n=1 if i % 2 else 10)
    seeded.insert(shop.traffic, "sampled")
    weights = {view["view_id"]: view["sample_n"] for view in shop.traffic.views}
    spread = [value for view, (value, _, _) in shop.traffic.newest("LCP").items() for _ in range(weights[view])]
    data = seeded.client.get("/overview.json?app=sampled").json()
    (lcp, *_) = data["vitals"]
    assert (lcp["n"], lcp["views"]) == (60, 330)
    assert lcp["p75"] == pytest.approx(p75(spread))
    assert data["routes"][0]["views"] == 330


@pytest.mark.parametrize("n", [5, 11, 16, 40, 286, 999])
def test_an_interval_holds_the_quantile_95_times_of_100(n: int) -> None:
    """Coverage by exact counting, another way than the code's: P(lower ≤ views below the quantile < upper)."""
    mass = [math.comb(n, k) * 0.75**k * 0.25 ** (n - k) for k in range(n + 1)]
    lower, upper = ranks(n, 0.75)
    below, above = sum(mass[:lower]), sum(mass[upper:]) if upper else 0.0
    assert below <= 0.025 < sum(mass[: lower + 1]), "the highest lower bound there is"
    assert above <= 0.025
    assert not upper or sum(mass[upper - 1 :]) > 0.025, "the lowest upper bound there is"


def test_an_interval_needs_views_enough() -> None:
    assert ranks(5, 0.75)[1] == 0, "five values cannot bound a p75 from above"
    assert interval([(float(i), 1) for i in range(16)]) == (7.0, 15.0)
    tenfold = [(float(i), 10) for i in range(16)]
    assert interval(tenfold) == (7.0, 15.0), "a sample does not become surer by standing for more"


def test_csv_cells_are_no_formulas(seeded: Seeded) -> None:
    shop = seeded.shop("hostile", seed=5)
    formula = '=HYPERLINK("https://evil.example","x")'
    shop.view("/", shop.now_ms - 60_000, url=formula, user_id="@SUM(A1)", visibility="visible")
    seeded.insert(shop.traffic, "formulas")
    (row,) = csv.DictReader(io.StringIO(seeded.client.get("/overview.csv?app=hostile&table=views").text))
    assert (row["path"], row["user_id"]) == (f"'{formula}", "'@SUM(A1)")
    long = list(csv.DictReader(io.StringIO(seeded.client.get("/overview.csv?app=hostile").text)))
    assert {line["table"] for line in long} >= {"vitals", "routes", "views"}
    assert not [line for line in long if re.match(r"[=+@\t\r]", line["value"])]
    assert seeded.client.get("/overview.csv?table=nonsense").status_code == 404


def test_what_cannot_be_asked_is_said(seeded: Seeded) -> None:
    for bad, word in (("app=nobody", "nobody"), ("range=5y", "5y"), ("at=soon", "soon"), ("at=-5", "-5")):
        reply = seeded.client.get(f"/?{bad}")
        assert reply.status_code == 400
        assert word in reply.text
        assert seeded.client.get(f"/overview.json?{bad}").json()["problem"]


@pytest.mark.parametrize("name", list(FILTERS))
def test_every_filter_reaches_every_panel(seeded: Seeded, name: str) -> None:
    column = FILTERS[name]
    value = next(view[column] for view in seeded.traffic.views if view[column])
    data = seeded.client.get("/overview.json", params={name: value, "range": "24h"}).json()
    assert "problems" not in data
    chosen = [view["view_id"] for view in seeded.traffic.views if view[column] == value]
    assert sum(row["views"] for row in data["routes"]) == len(chosen)
    assert {row["view_id"] for row in data["views"]} <= set(chosen)
    newest = seeded.traffic.newest("LCP")
    (lcp, *_) = data["vitals"]
    assert lcp["n"] == sum(newest[view][1] != "hidden" for view in chosen)
    met = [event for line, event in seeded.traffic.events("error") if line[column] == value]
    assert sum(row["times"] for row in data["errors"]) == sum(event["count"] for event in met)
    loads = [event for line, event in seeded.traffic.events("feed") if line[column] == value]
    assert sum(row["loads"] for row in data["feeds"]) == len(loads)


def test_filter_values_are_bound_not_pasted(seeded: Seeded) -> None:
    for hostile in ("x' OR 1=1 --", "\\", "'", "{app:String}", "a\nb\tc", "/* scope */", "𝔘\u0000"):
        rows = seeded.client.get("/overview.json", params={"route": hostile})
        assert rows.status_code == 200
        assert rows.json()["routes"] == []
        assert "problems" not in rows.json()


def test_the_filter_form_works_without_scripts(seeded: Seeded) -> None:
    rows = seeded.client.get("/overview.json?by=route&value=/basket").json()
    assert rows["where"] == {"route": "/basket"}
    assert [row["route"] for row in rows["routes"]] == ["/basket"]


def test_the_series_covers_every_report_once(seeded: Seeded) -> None:
    points = [point for point in vitals.series(seeded.store, seeded.question) if point.name == "LCP"]
    row = next(v for v in vitals.vitals(seeded.store, seeded.question) if v.name == "LCP")
    assert sum(point.n for point in points) == row.p75.n
    assert all(0 <= point.bucket < vitals.BUCKETS for point in points)


@pytest.mark.parametrize("most", [3, 20, 1_000])
def test_the_newest_views_come_newest_first(seeded: Seeded, most: int) -> None:
    """Whether the last hour holds as many as are asked for or not."""
    rows = overview.recent_views(seeded.store, seeded.question.over("24h"), most)
    views = [view["view_id"] for view in reversed(seeded.traffic.views)]
    assert len(rows) == min(most, len(views))
    assert [row.view_id for row in rows] == views[: len(rows)]
    newest = seeded.traffic.newest("LCP")
    assert [row.lcp for row in rows] == [pytest.approx(newest[row.view_id][0]) for row in rows]


def test_twins_say_the_same_as_the_page(seeded: Seeded) -> None:
    data = json.loads(seeded.client.get("/overview.json").text)
    html = seeded.client.get("/").text
    for row in data["vitals"]:
        assert f"p75 · n = {row['n']:,} ·" in html
    for row in data["errors"]:
        assert f">{row['times']:,}</td>" in html


def test_a_week_ago_is_the_same_time_a_week_earlier(seeded: Seeded) -> None:
    week = 7 * 86_400_000
    shop = Shop(21, seeded.question.at - week, "sampled")
    then = shop.views(80, over_ms=5_400_000)
    seeded.insert(then, "a week ago")
    now = seeded.shop("sampled", seed=22).views(60, over_ms=1_800_000)
    seeded.insert(now, "as much today")
    seen = then.newest("LCP", milliseconds(seeded.question.since) - week, seeded.question.at - week)
    values = [value for value, visibility, _ in seen.values() if visibility != "hidden"]
    row = seeded.client.get("/overview.json?app=sampled").json()["vitals"][0]
    assert (row["week_n"], row["week_p75"]) == (len(values), pytest.approx(p75(values)))
    assert "a week ago" in seeded.client.get("/?app=sampled").text
