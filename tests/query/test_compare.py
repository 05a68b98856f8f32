"""What is different: exact shares of every dimension, their intervals, and a planted cause found among all of them."""

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from collector.query.compare import Comparison, Finding, Sides, compare, narrowed_to
from collector.query.measure import measure
from collector.query.question import BadQuestion, Question
from collector.query.spread import of_difference
from collector.store import Store
from tests.query.conftest import PLANTED, Filled


def test_a_planted_cause_is_ranked_first(planted: tuple[Store, Question]) -> None:
    store, question = planted
    found = compare(store, question.where_also("lcp", ">4000"))
    first = found.findings[0]
    assert dict(first.values) == PLANTED
    assert first.low > 0.4
    assert first.times is None or first.times > 20
    # The link behind it leads to exactly the views that were counted.
    chosen = narrowed_to(found.question, first)
    assert measure(store, chosen.asking(metric="views")).figure.value == first.chosen


def test_nothing_stands_out_where_nothing_differs(planted: tuple[Store, Question]) -> None:
    store, question = planted
    found = compare(store, question.where_also("trace", "*[0-7]").where_also("user", "!u1"))
    assert found.chosen_n + found.others_n > 0
    even = compare(store, question.where_also("attr.none", "!x").asking(compare="attr.none=x"))
    assert even.others_n == 0
    assert even.findings == []


SIDES: list[tuple[str, Callable[[Question], Question], Callable[[dict[str, Any]], bool | None]]] = [
    ("rest", lambda q: q.narrowed(browser="Chrome"), lambda v: v["browser"] == "Chrome"),
    (
        "release=2.14.0",
        lambda q: q.narrowed(release="2.15.0").asking(compare="release=2.14.0"),
        lambda v: v["release"] == "2.15.0",
    ),
    (
        "flag.new-feed=off",
        lambda q: q.narrowed(**{"flag.new-feed": "on"}).asking(compare="flag.new-feed=off"),
        lambda v: v["flags"]["new-feed"] == "on",
    ),
]
DIMENSIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "route": lambda v: v["route"],
    "country": lambda v: v["country"],
    "os": lambda v: v["os"],
    "user": lambda v: v["user_id"],
    "attr.plan": lambda v: v["attributes"].get("plan", ""),
}


@pytest.mark.parametrize(("against", "asked", "is_chosen"), SIDES, ids=[side[0] for side in SIDES])
def test_shares_are_exact(
    filled: Filled,
    against: str,
    asked: Callable[[Question], Question],
    is_chosen: Callable[[dict[str, Any]], bool],
) -> None:
    found = compare(filled.store, asked(filled.question))
    assert found.against == against
    views = filled.traffic.views
    assert found.chosen == sum(v["sample_n"] for v in views if is_chosen(v))
    assert found.others == sum(v["sample_n"] for v in views if not is_chosen(v))
    assert len(found.dimensions) >= 8
    for name, value_of in DIMENSIONS.items():
        dimension = next((d for d in found.dimensions if d.name == name), None)
        assert dimension is not None, name
        chosen = Counter[str]()
        others = Counter[str]()
        for view in views:
            (chosen if is_chosen(view) else others)[value_of(view)] += view["sample_n"]
        for finding in dimension.findings:
            ((_, value),) = finding.values
            if name == "attr.plan" and not value:
                continue  # a key that is not there is not a value
            assert (finding.chosen, finding.others) == (chosen[value], others[value])
            assert finding.chosen_share == pytest.approx(chosen[value] / sum(chosen.values()))
            assert finding.low <= finding.difference <= finding.high
        shown = [abs(f.difference) for f in dimension.findings]
        assert shown == sorted(shown, reverse=True)


def test_what_the_question_settles_is_no_dimension(filled: Filled) -> None:
    found = compare(filled.store, filled.question.narrowed(browser="Chrome", route="/"))
    assert {"browser", "browser_version", "route", "path"} & {d.name for d in found.dimensions} == set()


def test_what_says_a_field_in_other_words_is_a_dimension_only_where_both_sides_have_it(filled: Filled) -> None:
    chrome, versions = filled.question.narrowed(browser="Chrome"), {"browser", "browser_version"}
    assert not versions & set(Sides(chrome, "rest").dimensions())
    assert not versions & set(Sides(chrome, "browser=Firefox").dimensions())
    assert not versions & set(Sides(filled.question, "browser=Firefox").dimensions())
    assert not versions & set(Sides(filled.question.where_also("browser_version", "156"), "rest").dimensions())
    for both in (Sides(chrome.where_also("lcp", ">2000"), "rest"), Sides(chrome, "before")):
        assert versions & set(both.dimensions()) == {"browser_version"}


def test_combinations_are_exact_and_say_more_than_their_parts(planted: tuple[Store, Question]) -> None:
    store, question = planted
    found = compare(store, question.where_also("lcp", ">4000"))
    together = [finding for finding in found.findings if len(finding.values) > 1]
    assert together
    single = {f.values[0]: f for d in found.dimensions for f in d.findings}
    for finding in together:
        assert finding.difference > max(single[value].difference for value in finding.values)
        views = measure(store, narrowed_to(found.question, finding).asking(metric="views")).figure
        assert (views.value, views.n) == (finding.chosen, finding.chosen_n)


def test_events_can_be_compared_too(filled: Filled) -> None:
    slow = filled.question.asking(metric="fetch_duration").where_also("duration_ms", ">200")
    found = compare(filled.store, slow)
    fetches = filled.traffic.events("fetch")
    assert found.noun == "fetches"
    assert found.chosen_n == sum(event["duration_ms"] > 200 for _, event in fetches)
    assert found.chosen_n + found.others_n == len(fetches)
    assert "endpoint" in {d.name for d in found.dimensions}


def test_the_time_before(filled: Filled) -> None:
    half = filled.question.between(filled.question.until - filled.question.span / 2, filled.question.until)
    found = compare(filled.store, half.asking(compare="before"))
    assert found.chosen_n + found.others_n == len(filled.traffic.views)
    assert "hour" not in {d.name for d in found.dimensions}
    with pytest.raises(BadQuestion, match="week"):
        compare(filled.store, filled.question.over("30d").asking(compare="week"))


def test_intervals_of_differences_hold_as_often_as_they_say() -> None:
    rng, held = random.Random(2), 0
    for _ in range(400):
        one = sum(rng.random() < 0.10 for _ in range(150)) / 150
        other = sum(rng.random() < 0.04 for _ in range(900)) / 900
        low, high = of_difference(one, 150, other, 900)
        held += low <= 0.06 <= high
    assert 0.92 < held / 400 <= 1


def test_nothing_to_compare_is_an_answer(filled: Filled) -> None:
    found: Comparison = compare(filled.store, filled.question.narrowed(route="/nowhere"))
    assert (found.chosen_n, found.findings) == (0, [])
    finding = Finding((), 0, 0, 0, 0, 0.0, 0.0, -1.0, 1.0)
    assert finding.score == 0
    assert not math.isnan(finding.difference)
