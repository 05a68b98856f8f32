"""Every metric against plain Python over the same lines: counts, percentiles, shares, weights, groups and slices."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collector.query import overview, summary, vitals, weights
from collector.query.compare import compare
from collector.query.measure import Compiled, measure
from collector.query.metrics import LEVELS, METRICS, metric_of
from collector.query.question import Question, ask, milliseconds, read_text, written
from collector.query.spread import COARSE, P75, grid, interval, of_quantile, of_ratio, of_share
from collector.query.vitals import Percentile, percentile
from tests.pages.shop import Shop
from tests.query.conftest import Filled

Line = dict[str, Any]
Value = tuple[float, int, Line]  # value, weight, the line that tells of its view


def quantile(values: list[Value], level: float) -> float:
    """ClickHouse's quantileExact over every value as often as its weight says."""
    spread = sorted(value for value, weight, _ in values for _ in range(weight))
    return spread[min(len(spread) - 1, int(len(spread) * level))]


def events(filled: Filled, kind: str, of: Callable[[dict[str, Any]], float | None]) -> Iterator[Value]:
    for line, event in filled.traffic.events(kind):
        value = of(event)
        if value is not None:
            yield value, line["sample_n"], line


def newest(filled: Filled, name: str) -> Iterator[Value]:
    lines = {line["view_id"]: line for line in filled.traffic.lines if line.get("events")}
    for view, (value, visibility, _) in filled.traffic.newest(name).items():
        if visibility != "hidden":
            yield value, lines[view]["sample_n"], lines[view]


def per_view(filled: Filled, kind: str) -> Iterator[Value]:
    found: dict[str, int] = defaultdict(int)
    for line, event in filled.traffic.events(kind):
        found[line["view_id"]] += event.get("count", 1) if kind == "error" else 1
    for line, _ in filled.traffic.events("view"):
        yield found[line["view_id"]], line["sample_n"], line


ORACLES: dict[str, Callable[[Filled], Iterator[Value]]] = {
    "lcp": lambda f: newest(f, "LCP"),
    "cls": lambda f: newest(f, "CLS"),
    "fetch_duration": lambda f: events(f, "fetch", lambda e: e["duration_ms"]),
    "feed_stall": lambda f: events(f, "feed", lambda e: e["stall_ms"]),
    "view_duration": lambda f: events(f, "view", lambda e: e["duration_ms"]),
    "requests_per_view": lambda f: per_view(f, "fetch"),
    "errors_per_view": lambda f: per_view(f, "error"),
    "bytes": lambda f: (v for kind in ("view", "fetch", "resource") for v in events(f, kind, lambda e: e.get("bytes"))),
}
GROUPS: dict[str, Callable[[Line], str]] = {
    "route": lambda line: line["route"],
    "browser": lambda line: line["browser"],
    "attr.plan": lambda line: line["attributes"].get("plan", ""),
    "flag.new-feed": lambda line: line["flags"]["new-feed"],
    "viewport_width": lambda line: str(line["viewport_width"]),
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("field", ["", *GROUPS])
def test_percentiles_weights_and_counts(filled: Filled, name: str, field: str) -> None:
    expected: dict[tuple[str, ...], list[Value]] = defaultdict(list)
    for value in ORACLES[name](filled):
        expected[(GROUPS[field](value[2]),) if field else ()].append(value)
    aggregate = random.Random(f"{name}{field}").choice(list(LEVELS))
    question = filled.question.asking(metric=name, aggregate=aggregate, group_by=(field,) if field else ())
    found = measure(filled.store, question)
    assert {group.key for group in found.groups} == set(expected)
    assert found.more == 0
    for group in found.groups:
        values, figure = expected[group.key], group.figure
        assert figure.value == pytest.approx(quantile(values, LEVELS[aggregate]))
        assert figure.n == len(values)
        assert figure.size == sum(weight for _, weight, _ in values)
        assert figure.users == len({line["user_id"] for _, _, line in values} - {""})
        limit = metric_of(name).limit
        if limit:
            assert figure.poor == sum(weight for value, weight, _ in values if value > limit.poor)
            assert figure.good == sum(weight for value, weight, _ in values if value <= limit.good)


@pytest.mark.parametrize("name", ["requests_per_view", "errors_per_view"])
def test_a_ratio_is_of_sums(filled: Filled, name: str) -> None:
    values = list(ORACLES[name](filled))
    figure = measure(filled.store, filled.question.asking(metric=name)).figure
    assert figure.value == pytest.approx(sum(v * w for v, w, _ in values) / sum(w for _, w, _ in values))
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < figure.value < figure.high


def test_shares_and_counts(filled: Filled) -> None:
    def value(metric: str, aggregate: str = "") -> float | None:
        return measure(filled.store, filled.question.asking(metric=metric, aggregate=aggregate)).figure.value

    fetches = filled.traffic.events("fetch")
    failed = sum(line["sample_n"] for line, event in fetches if event["status_code"] >= 400)
    assert value("fetch_failure_rate") == pytest.approx(failed / sum(line["sample_n"] for line, _ in fetches))
    assert value("fetch_failure_rate", "count") == failed
    assert value("requests") == sum(line["sample_n"] for line, _ in fetches)
    assert value("requests", "rate") == pytest.approx(sum(line["sample_n"] for line, _ in fetches) / 60)
    assert value("errors") == sum(line["sample_n"] * event["count"] for line, event in filled.traffic.events("error"))
    with_error = {line["view_id"] for line, _ in filled.traffic.events("error")}
    views = filled.traffic.views
    assert value("error_rate") == pytest.approx(
        sum(v["sample_n"] for v in views if v["view_id"] in with_error) / sum(v["sample_n"] for v in views)
    )
    assert value("views") == sum(v["sample_n"] for v in views)
    assert value("sessions") == sum(v["sample_n"] for v in views)  # each of these sessions has one view
    assert value("users") == len({v["user_id"] for v in views} - {""})
    lcp = list(newest(filled, "LCP"))
    poor = sum(w for v, w, _ in lcp if v > 4_000) / sum(w for _, w, _ in lcp)
    assert value("lcp", "share_poor") == pytest.approx(poor)


def test_the_newest_report_of_the_overview_is_the_newest_here(filled: Filled) -> None:
    for vital in vitals.vitals(filled.store, filled.question):
        figure = measure(filled.store, filled.question.asking(metric=vital.name.lower())).figure
        assert (figure.value, figure.n, figure.low, figure.high) == (
            vital.p75.value, vital.p75.n, vital.p75.low, vital.p75.high,
        )  # fmt: skip
        assert (figure.good, figure.poor, figure.size) == (vital.good, vital.poor, vital.views)


def test_weights_that_are_all_the_same_change_nothing(filled: Filled) -> None:
    question = filled.question.about("few").asking(metric="fetch_duration", group_by=("route",))
    for aggregate in LEVELS:
        plain = measure(filled.store, question.asking(aggregate=aggregate)).groups
        rows = Compiled(question, metric_of("fetch_duration"), aggregate).run(filled.store, 0, 50, "size")
        assert [group.figure.value for group in plain] == [row["levels"][0] for row in rows]


@pytest.mark.parametrize("app", ["demo", "few"])
def test_the_summary_is_what_its_parts_are(filled: Filled, app: str) -> None:
    """Sampled unevenly, and evenly; over both periods, and narrowed."""
    for question in (
        filled.question.about(app),
        filled.question.about(app).over("30m"),
        filled.question.about(app).narrowed(device="mobile"),
        filled.question.about(app).narrowed(route="/nowhere"),
    ):
        found = summary.summary(filled.store, question)
        assert found.vitals == vitals.vitals(filled.store, question)
        assert found.series == vitals.series(filled.store, question)
        assert found.routes == overview.routes(filled.store, question)
    (row,) = ask(filled.store, "even_weights", filled.question.about(app), types=["vital"])
    assert row["is_even"] == (app == "few")


def test_of_too_many_reports_one_view_in_n_is_read_and_marked(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {vital.name: vital for vital in summary.summary(filled.store, filled.question).vitals}
    assert whole["LCP"].p75.one_in == 1
    (row,) = ask(filled.store, "even_weights", filled.question, types=["vital"], since_ms=0)
    monkeypatch.setattr(weights, "EXACT", row["events"] // 3)
    found = summary.summary(filled.store, filled.question).vitals[0]
    seen = whole[found.name]
    assert found.p75.one_in > 1
    assert 0 < found.p75.n < seen.p75.n
    # As many views as before, within four deviations of a draw; and what is told stands for what was drawn.
    drawn, share = found.p75.n, 1 / found.p75.one_in
    assert abs(drawn - seen.p75.n * share) < 4 * (seen.p75.n * share) ** 0.5
    assert found.views % found.p75.one_in == 0
    assert (found.p75.low or 0) <= seen.p75.value <= (found.p75.high or math.inf)


@pytest.mark.parametrize("name", ["vitals", "summary"])
def test_where_all_views_weigh_the_same_weights_change_nothing(filled: Filled, name: str) -> None:
    question = filled.question.about("few")
    text = written(filled.store, name, question)
    limits = {"goods": [limit.good for limit in vitals.LIMITS.values()], "poors": [9.0] * len(vitals.LIMITS)}
    asked = limits | {"step_ms": 60_000}
    one = read_text(filled.store, text, question, **asked, is_even=0)
    other = read_text(filled.store, weights.plain(text), question, **asked, is_even=1)
    assert sorted(map(repr, one)) == sorted(map(repr, other))
    assert any(row["levels"] for row in one)


def test_the_tail_of_a_session_that_was_not_sampled_counts_for_nothing(filled: Filled) -> None:
    question = filled.question.about("sampled")
    shop = Shop(seed=8, now_ms=filled.question.at, app="sampled")
    for nr in range(20):
        shop.view("/", filled.question.at - 60_000 - nr, sample_n=nr % 2, visibility="visible")
    filled.store.insert(shop.traffic.to_bytes(), "tails")
    for name in ("lcp", "views", "requests_per_view", "sessions", "error_rate", "view_duration"):
        assert measure(filled.store, question.asking(metric=name)).figure.n == 10, name
    compared = compare(filled.store, question.narrowed(browser="Chrome"))
    assert compared.chosen_n + compared.others_n == 10


@pytest.mark.parametrize("name", ["lcp", "fetch_duration", "requests_per_view", "views", "users", "error_rate"])
def test_slices_make_up_the_whole(filled: Filled, name: str) -> None:
    question = filled.question.asking(metric=name, group_by=("route",))
    for group in measure(filled.store, question, slices=7).groups:
        assert [point.slice for point in group.points] == sorted({point.slice for point in group.points})
        assert all(0 <= point.slice < 7 for point in group.points)
        if name != "users":  # somebody who stays is there in several slices
            assert sum(point.figure.n for point in group.points) == group.figure.n
        else:
            assert max(point.figure.n for point in group.points) <= group.figure.n


CONDITIONS: list[tuple[str, str, Callable[[Line], bool]]] = [
    ("route", "/collections/**", lambda line: line["route"].startswith("/collections")),
    ("browser", "!Chrome", lambda line: line["browser"] != "Chrome"),
    ("browser", "*Safari", lambda line: line["browser"].endswith("Safari")),
    ("attr.plan", '""', lambda line: not line["attributes"].get("plan")),
    ("attr.plan", "!pro", lambda line: line["attributes"].get("plan") != "pro"),
    ("flag.new-feed", "on", lambda line: line["flags"]["new-feed"] == "on"),
    ("viewport_width", "<800", lambda line: line["viewport_width"] < 800),
    ("device_memory", '!""', lambda line: line["device_memory"] is not None),
    ("sample_n", "!1", lambda line: line["sample_n"] != 1),
    ("user", '!""', lambda line: line["user_id"] != ""),
    ("height", "800–999", lambda line: 800 <= line["viewport_height"] < 1_000),
]


@pytest.mark.parametrize(("name", "text", "holds"), CONDITIONS, ids=lambda x: x if isinstance(x, str) else "")
def test_conditions_mean_what_they_say(filled: Filled, name: str, text: str, holds: Callable[[Line], bool]) -> None:
    question = filled.question.where_also(name, text)
    for metric in ("lcp", "fetch_duration", "requests_per_view"):
        values = [value for value in ORACLES[metric](filled) if holds(value[2])]
        figure = measure(filled.store, question.asking(metric=metric, aggregate="p50")).figure
        assert (figure.n, figure.value) == (len(values), pytest.approx(quantile(values, 0.5)))
        assert 0 < figure.n <= measure(filled.store, filled.question.asking(metric=metric)).figure.n


def test_alternatives_join_and_comparisons_narrow(filled: Filled) -> None:
    question = filled.question.where_also("browser", "Chrome").where_also("browser", "Firefox")
    question = question.where_also("duration_ms", ">100").where_also("duration_ms", "<=300")
    found = measure(filled.store, question.asking(metric="requests")).figure.value
    assert found == sum(
        line["sample_n"]
        for line, event in filled.traffic.events("fetch")
        if line["browser"] in {"Chrome", "Firefox"} and 100 < event["duration_ms"] <= 300
    )


def test_conditions_on_events_choose_views(filled: Filled) -> None:
    slow = {view for view, (v, seen, _) in filled.traffic.newest("LCP").items() if v > 4_000 and seen != "hidden"}
    found = measure(filled.store, filled.question.where_also("lcp", ">4000").asking(metric="views")).figure
    assert found.n == len(slow)
    failed = {line["view_id"] for line, event in filled.traffic.events("fetch") if event["status_code"] == 500}
    seen = [view for view, (_, visibility, _) in filled.traffic.newest("LCP").items() if visibility != "hidden"]
    assert measure(filled.store, filled.question.where_also("status", "5xx")).figure.n == len(failed & set(seen))
    by_request = filled.question.where_also("endpoint", "/api/feed").asking(metric="requests_per_view")
    feeds = sum(line["sample_n"] for line, e in filled.traffic.events("fetch") if e["endpoint"] == "/api/feed")
    views = sum(view["sample_n"] for view in filled.traffic.views)
    assert measure(filled.store, by_request).figure.value == pytest.approx(feeds / views)


def test_every_metric_answers(filled: Filled) -> None:
    for name in [*METRICS, "duration_ms", "phase.ttfb_ms", "attr.basket", "save_data", "device_memory", "stall_ms"]:
        for aggregate in {metric_of(name).aggregates[0], metric_of(name).aggregates[-1]}:
            question = filled.question.asking(metric=name, aggregate=aggregate, group_by=("os", "attr.plan"))
            for group in measure(filled.store, question).groups:
                figure = group.figure
                assert figure.value is None or math.isfinite(figure.value)
                if figure.low is not None and figure.value is not None:
                    assert figure.low <= figure.value + 1e-9, (name, aggregate)
                if figure.high is not None and figure.value is not None:
                    assert figure.value <= figure.high + 1e-9, (name, aggregate)


def test_nothing_is_an_answer(filled: Filled) -> None:
    nowhere = filled.question.narrowed(route="/nowhere")
    for name in METRICS:
        figure = measure(filled.store, nowhere.asking(metric=name), slices=3).figure
        assert (figure.n, figure.value) in {(0, None), (0, 0.0)}
    assert measure(filled.store, nowhere.asking(metric="lcp", group_by=("route",))).groups == []


def test_what_is_left_out_is_counted(filled: Filled) -> None:
    question = filled.question.asking(metric="views", group_by=("view_id",))
    found = measure(filled.store, question, most=10)
    assert (len(found.groups), found.more) == (10, 240)
    worst = measure(filled.store, filled.question.asking(metric="lcp", group_by=("view_id",)), most=3, first="value")
    expected = sorted((value for value, _, _ in newest(filled, "LCP")), reverse=True)[:3]
    assert [group.figure.value for group in worst.groups] == pytest.approx(expected)


def test_beyond_the_limit_percentiles_are_near(filled: Filled) -> None:
    question = filled.question.asking(metric="lcp")
    near = Compiled(question, metric_of("lcp"), "p75", is_exact=False).run(filled.store, 0, 1, "size")[0]["levels"][0]
    exact = measure(filled.store, question)
    assert exact.is_exact
    assert near == pytest.approx(exact.figure.value, rel=0.008)


def test_nothing_after_the_watermark_counts(filled: Filled) -> None:
    half = filled.question.until - filled.question.span / 2
    earlier = Question("demo", half).asking(metric="views")
    expected = [
        line["sample_n"]
        for line, _ in filled.traffic.events("view")
        if milliseconds(earlier.since) < line["received_at"] <= earlier.at
    ]
    assert measure(filled.store, earlier).figure.value == sum(expected)


@pytest.mark.parametrize("level", LEVELS.values())
def test_intervals_from_the_grid_hold_as_often_as_they_say(level: float) -> None:
    rng, held, width, n = random.Random(3), 0, 0.0, 2_000
    for _ in range(150):
        sample = sorted((rng.random(), 1) for _ in range(n))  # whose quantile at any level is that level
        found = [sample[min(n - 1, int(one * n))][0] for one in grid(level)]
        low, high = of_quantile([], found, level, n)
        exact_low, exact_high = interval(sample, level)
        assert low is not None
        assert high is not None
        assert exact_low is not None
        assert exact_high is not None
        held += low <= level <= high
        width += (high - low) / (exact_high - exact_low)
    assert held / 150 > 0.92
    assert width / 150 < 1.3


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_intervals_of_shares_hold_as_often_as_they_say(share: float) -> None:
    rng = random.Random(7)
    held = 0
    for _ in range(400):
        hits = sum(rng.random() < share for _ in range(400))
        low, high = of_share(hits / 400, 400)
        assert low is not None
        assert high is not None
        held += low <= share <= high
    assert held / 400 > 0.92


def test_intervals_of_ratios_hold_as_often_as_they_say() -> None:
    rng, held = random.Random(9), 0
    for _ in range(300):
        values = [(rng.choice([0, 1, 1, 2, 30]), rng.choice([1, 4])) for _ in range(500)]
        size = sum(w for _, w in values)
        low, high = of_ratio(
            sum(v * w for v, w in values), size, sum(w * w * v * v for v, w in values),
            sum(w * w * v for v, w in values), sum(w * w for _, w in values),
        )  # fmt: skip
        assert low is not None
        assert high is not None
        held += low <= 34 / 5 <= high
    assert held / 300 > 0.91


def test_large_releases_differ_only_where_chance_does_not_reach() -> None:
    """Two samples of one kind differ in one pair of twenty at most, whatever their size; a real change is seen."""
    rng = random.Random(11)
    seen = {"same": 0, "slower": 0}
    for _ in range(60):
        one, same, slower = (p75_of([rng.lognormvariate(7.3, 0.6) * by for _ in range(5_000)]) for by in (1, 1, 1.15))
        seen["same"] += one.differs(same)
        seen["slower"] += one.differs(slower)
    assert seen["same"] <= 3
    assert seen["slower"] == 60


def p75_of(values: list[float]) -> Percentile:
    values.sort()
    around = [values[min(len(values) - 1, int(level * len(values)))] for level in grid(P75, COARSE)]
    row = {"n": len(values), "p75": values[int(P75 * len(values))], "sample": [], "around": around}
    return percentile(row | {"effective": float(len(values))}, "")
