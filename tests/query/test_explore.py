"""Explore shows any metric in any form, what it shows is what was measured, and its SQL says the same when run by hand."""

import csv
import io
import math
import re
from collections import Counter
from html import unescape

import httpx
import pytest
from playwright.sync_api import Browser, Page

from collector.query.explore import as_sql, edges_of, sample_rows, value_grid
from collector.query.measure import measure
from collector.query.metrics import METRICS, metric_of
from collector.query.question import milliseconds
from collector.store.freely import TABLES
from dashboards.explore import VIEWS
from dashboards.figures import told
from tests.query.conftest import Filled


@pytest.mark.parametrize("view", VIEWS)
def test_every_metric_in_every_form(pages: httpx.Client, view: str) -> None:
    for name in ("lcp", "cls", "share_poor", "fetch_duration", "requests_per_view", "error_rate", "users", "bytes"):
        for grouped in ("", "&group_by=browser&group_by=attr.plan"):
            reply = pages.get(f"/explore?metric={name}&view={view}{grouped}")
            assert reply.status_code == 200, (name, reply.text[:2_000])
            assert "<svg" in reply.text
            assert pages.get(f"/explore.json?metric={name}&view={view}{grouped}").status_code == 200


def test_the_page_says_what_was_measured(filled: Filled, pages: httpx.Client) -> None:
    question = filled.question.asking(metric="fetch_duration", aggregate="p90", group_by=("route",))
    found = measure(filled.store, question)
    html = pages.get(question.link("/explore", view="table")).text
    rows = pages.get(question.link("/explore.json")).json()["groups"]
    for group, row in zip(found.groups, rows, strict=True):
        assert (row["route"], row["value"], row["n"]) == (*group.key, group.figure.value, group.figure.n)
        assert told(group.figure.value, found.metric, "p90") in html
        assert f"{group.figure.n:,}" in html


@pytest.mark.parametrize(
    "name", ["lcp", "fetch_duration", "requests_per_view", "error_rate", "views", "users", "bytes"]
)
def test_the_sql_that_is_shown_gives_the_same(filled: Filled, name: str) -> None:
    question = filled.question.asking(metric=name, group_by=("browser", "attr.plan"))
    question = (
        question.where_also("route", "/**").where_also("user", "!it's \\ a {x:String} 'trap").where_also("lcp", ">1")
    )
    columns, rows = filled.store.read_freely(as_sql(question))
    by_key = {tuple(row[:2]): dict(zip(columns, row, strict=True)) for row in rows}
    found = measure(filled.store, question)
    assert {group.key for group in found.groups} == set(by_key)
    for group in found.groups:
        row = by_key[group.key]
        assert (row["n"], row["users"], row["size"]) == (group.figure.n, group.figure.users, group.figure.size)


def test_by_hand_from_the_page(pages: httpx.Client, filled: Filled) -> None:
    html = pages.get("/explore?metric=views").text
    link = re.search(r'href="([^"]*view=sql[^"]*)"', html)
    assert link
    answer = pages.get(unescape(link[1]).replace("/explore?", "/explore.json?")).json()
    assert [row["n"] for row in answer["rows"]] == [len(filled.traffic.views)]
    table = csv.DictReader(io.StringIO(pages.get("/explore.csv?view=sql&sql=SELECT '=1' AS x&table=rows").text))
    assert [row["x"] for row in table] == ["'=1"]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT file('/etc/passwd')", "file()"),
        ("SELECT * FROM system.tables", "system.tables"),
        ("DROP TABLE events", "DROP is not to be had here; write one SELECT"),
        ("SELECT nothing FROM events", "nothing"),
        ("SELECT 1 SETTINGS max_threads = 9", "SETTINGS"),
    ],
)
def test_what_may_not_be_asked_by_hand_is_said(pages: httpx.Client, sql: str, word: str) -> None:
    reply = pages.get("/explore", params={"view": "sql", "sql": sql})
    assert word in unescape(reply.text)
    assert "Traceback" not in reply.text
    assert sql in unescape(reply.text)  # what was written is still there to be changed


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "Syntax error at line 1, column 7: 1."),
        ("SELECT 1,\n2 FRM events", "Syntax error at line 2, column 7: events."),
        ("SELECT 1)", "Syntax error: the parentheses do not match."),
        ("SELECT 1 FROM", "Syntax error: the query ends too soon."),
        ("SELECT 1; DROP TABLE events", "Syntax error: write one SELECT, without a semicolon and what follows it."),
        (
            "SELECT 1 FROM views",
            f"there is no table views; there are {', '.join(sorted(TABLES))}.",
        ),
        ("SELECT 1 FROM events GROUP BY", "Syntax error: the query ends too soon."),
        ("SELECT a 'x (y' b FROM events", "Syntax error at line 1, column 10: 'x (y' b FROM events."),
    ],
)
def test_a_mistake_is_where_it_was_written(pages: httpx.Client, sql: str, said: str) -> None:
    """And nothing is said of what is put around the query."""
    problem = pages.get("/explore.json", params={"view": "sql", "sql": sql}).json()["problem"]
    assert problem == f"The engine says: {said}"


def test_what_can_be_asked_by_hand_is_listed(pages: httpx.Client) -> None:
    html = unescape(pages.get("/explore?view=sql").text)
    for table, column in (("events", "endpoint"), ("otel_traces", "ResourceAttributes"), ("outcomes", "minute")):
        listed = html[html.index(f"<code>{table}</code> <small>") :].split("</details>")[0]
        assert f"<code>{column}</code>" in listed
        assert pages.get("/explore", params={"view": "sql", "sql": f"SELECT {column} FROM {table}"}).status_code == 200
    assert "LowCardinality" not in html.split("Tables and columns")[1]


def test_the_grid_holds_every_value_once(filled: Filled) -> None:
    for name in ("lcp", "fetch_duration", "cls", "requests_per_view"):
        question = filled.question.asking(metric=name)
        spots = value_grid(filled.store, question, slices=12)
        figure = measure(filled.store, question).figure
        assert sum(spot.n for spot in spots) == figure.n
        assert sum(spot.size for spot in spots) == figure.size
        assert {spot.edge for spot in spots} <= set(edges_of(metric_of(name)))
        assert all(0 <= spot.slice < 12 for spot in spots)


def test_the_grid_puts_values_where_they_belong(filled: Filled) -> None:
    edges = edges_of(metric_of("fetch_duration"))
    expected: Counter[float] = Counter()
    for line, event in filled.traffic.events("fetch"):
        expected[max(edge for edge in edges if edge <= event["duration_ms"])] += line["sample_n"]
    found: Counter[float] = Counter()
    for spot in value_grid(filled.store, filled.question.asking(metric="fetch_duration"), slices=3):
        found[spot.edge] += spot.size
    assert found == expected
    assert not math.isinf(min(found))


def test_rows_are_the_newest(filled: Filled) -> None:
    rows = sample_rows(filled.store, filled.question.asking(metric="errors"))
    errors = [line for line, _ in filled.traffic.events("error")]
    newest = sorted((line["received_at"] for line in errors), reverse=True)
    by_view = {line["view_id"]: line["received_at"] for line in errors}
    assert [by_view[row.view_id] for row in rows] == newest[:100]
    vitals = sample_rows(filled.store, filled.question.asking(metric="inp"), most=7)
    assert {(row.type, row.name) for row in vitals} == {("vital", "INP")}


def test_nothing_is_said_to_be_nothing(pages: httpx.Client) -> None:
    html = pages.get("/explore?route=/nowhere&metric=inp").text
    assert "Nothing was measured" in html
    assert "Interaction to Next Paint" in html


def test_another_metric_in_the_form_forgets_an_aggregate_it_lacks(pages: httpx.Client) -> None:
    facts = pages.get("/explore.json?metric=users&aggregate=p75").json()
    assert facts["aggregate"] == "count"
    assert pages.get("/explore?metric=nothing").status_code == 400


@pytest.fixture
def visit(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 390, "height": 844})


def test_asked_by_keyboard_on_a_phone(visit: Page, pages: httpx.Client) -> None:
    violations: list[str] = []
    visit.on("console", lambda message: violations.append(message.text))
    visit.goto(f"{pages.base_url}/explore?wait=1")
    visit.focus("select[name=metric]")
    visit.keyboard.type("Duration of a fetch")
    visit.keyboard.press("Tab")
    visit.keyboard.press("Tab")
    visit.keyboard.type("attr.plan")
    visit.keyboard.press("Enter")
    visit.wait_for_url("**attr.plan**")
    assert "pro" in visit.inner_text("table.groups")
    assert "Duration of a fetch" in visit.inner_text("h1")
    assert visit.evaluate("document.documentElement.scrollWidth") <= 390
    for view in VIEWS:
        visit.goto(f"{pages.base_url}/explore?wait=1&metric=lcp&view={view}&group_by=route")
        assert visit.evaluate("document.documentElement.scrollWidth") <= 390, view
    assert violations == []


def test_every_metric_has_words(filled: Filled) -> None:
    for metric in METRICS.values():
        for aggregate in metric.aggregates:
            assert told(0.4213, metric, aggregate).strip()
            assert told(None, metric, aggregate) == "–"
    assert milliseconds(filled.question.until) == filled.question.at
