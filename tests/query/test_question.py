"""A question survives every way of writing it down; what cannot be asked is refused with a sentence that helps."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.query.condition import canonical, literal, pattern, read
from collector.query.fields import FIELDS
from collector.query.metrics import METRICS
from collector.query.question import (
    BadQuestion,
    Question,
    bound,
    from_plain,
    milliseconds,
    parse,
    scope,
)

NOW = datetime(2026, 11, 24, 10, 0, 0, 125_000, tzinfo=UTC)
APPS = {"shop": 1, "demo": 2}
TEXTS = [name for name, field in FIELDS.items() if field.kind == "text"]
NUMBERS = [name for name, field in FIELDS.items() if field.kind != "text"]

words = st.text(min_size=1, max_size=12) | st.sampled_from(['""', "!", "!!x", "*", "**", "\\", "\\*", ">5", "a*b\\"])
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53).map(float)
keys = st.text(min_size=1, max_size=8)
text_pairs = st.tuples(
    st.sampled_from(TEXTS) | keys.map("attr.{}".format) | keys.map("flag.{}".format),
    st.tuples(st.sampled_from(["", "!"]), words.map(literal) | st.sampled_from(["/a/**", "*", "a*b**"])).map("".join),
)
compared = st.tuples(st.sampled_from(["", "!", ">", "<=", "!<"]), numbers.map(repr)).map("".join)
number_pairs = st.tuples(st.sampled_from(NUMBERS) | keys.map("phase.{}".format), compared) | st.tuples(
    st.sampled_from(["duration_ms", "device_memory", "phase.x"]), st.sampled_from(['""', '!""'])
)
times = st.one_of(
    st.builds(dict, range=st.sampled_from(["15m", "7d", "90m", "399d"]), is_live=st.booleans()),
    st.integers(1, 10**12).map(lambda ms: {"range": "", "start": NOW - timedelta(milliseconds=ms), "is_live": False}),
    st.integers(1, 10**12).map(lambda ms: {"range": "", "start": NOW - timedelta(milliseconds=ms), "is_live": True}),
)
metrics = st.sampled_from(list(METRICS.values())).flatmap(
    lambda metric: st.sampled_from(["", *metric.aggregates]).map(lambda a: {"metric": metric.name, "aggregate": a})
)
questions = st.builds(
    lambda where, time, metric, group_by, compare, view: Question(
        "shop", NOW, where=canonical(where), group_by=tuple(group_by), compare=compare, view=view, **time, **metric
    ),
    st.lists(text_pairs | number_pairs, max_size=6),
    times,
    st.just({}) | metrics,
    st.lists(st.sampled_from(TEXTS) | keys.map("attr.{}".format), max_size=4, unique=True),
    st.sampled_from(["", "rest", "before", "week", "release=2.14", "flag.new=!on"]),
    st.sampled_from(["", "table", "heatmap"]),
)


@given(questions)
def test_a_url_says_all_of_a_question(question: Question) -> None:
    query = urlsplit(question.here("/x")).query
    assert parse(parse_qsl(query, keep_blank_values=True), APPS, NOW) == question
    pinned = parse(parse_qsl(urlsplit(question.link("/x")).query), APPS, NOW + timedelta(hours=1))
    assert (pinned.since, pinned.until, pinned.where) == (question.since, question.until, question.where)


@given(questions)
def test_a_rules_text_says_all_of_a_question(question: Question) -> None:
    plain = json.loads(json.dumps(question.to_plain()))
    assert from_plain(plain, APPS, NOW) == question


@given(text_pairs | number_pairs)
def test_a_condition_is_read_as_it_is_written(pair: tuple[str, str]) -> None:
    name, text = pair
    condition = read(name, text)
    assert read(name, condition.text) == condition


@given(words)
def test_a_literal_means_itself(value: str) -> None:
    condition = read("route", literal(value))
    assert (condition.how, condition.value, condition.is_negated) == ("is", value, False)
    negated = read("route", f"!{literal(value)}")
    assert (negated.how, negated.value, negated.is_negated) == ("is", value, True)


@given(questions)
def test_values_are_bound_and_never_part_of_the_text(question: Question) -> None:
    shape = Question("shop", NOW, where=question.where)
    assert set(scope(shape)) <= set(scope(Question("x", NOW))) | set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_(){}[]:,.'*+-=!<>–% "
    )
    assert {name for name in bound(shape) if f"{{{name}:" in scope(shape)} >= {"app", "since_ms", "until_ms"}


@pytest.mark.parametrize(
    ("glob", "matches", "others"),
    [
        ("/checkout/**", ["/checkout", "/checkout/", "/checkout/pay/now"], ["/checkouts", "/x/checkout"]),
        ("/p/*", ["/p/1", "/p/"], ["/p/1/2", "/p"]),
        ("/*/:id", ["/a/:id"], ["/a/b/:id", "/a/1"]),
        ("**", ["", "/", "a\nb"], []),
        ("a.c*", ["a.c", "a.cd"], ["abc"]),
        ("(*)", ["(x)"], ["x"]),
    ],
)
def test_globs(glob: str, matches: list[str], others: list[str]) -> None:
    import re

    # Python reads the same syntax but for \x{…}, which is how single letters are quoted.
    regex = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: re.escape(chr(int(m[1], 16))), pattern(glob))
    for text in matches:
        assert re.fullmatch(regex.removesuffix("$"), text), (glob, text)
    for text in others:
        assert not re.fullmatch(regex.removesuffix("$"), text), (glob, text)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("app", "nobody")], ["nobody", "shop, demo"]),
        ([("range", "5y")], ["5y", "24h", "90m"]),
        ([("range", "0m")], ["0m"]),
        ([("at", "soon")], ["soon"]),
        ([("from", "yesterday")], ["yesterday", "2026-11-24T10:00Z"]),
        ([("from", "2026-11-24T09:00Z"), ("to", "2026-11-24T08:00Z")], ["from=2026", "not before"]),
        ([("from", "2030-01-01")], ["loaded"]),
        ([("duration_ms", "slow")], ["duration_ms=slow", "duration_ms=>500"]),
        ([("duration_ms", ">nan")], [">nan"]),
        ([("metric", "speed")], ["speed", "lcp", "fetch_duration", "duration_ms"]),
        ([("metric", "lcp"), ("aggregate", "avg")], ["lcp", "avg", "p75"]),
        ([("metric", "users"), ("aggregate", "p75")], ["users", "p75", "count"]),
        ([("group_by", "lcp")], ["lcp", "lcp=>2500"]),
        ([("group_by", "colour")], ["colour", "route", "attr.NAME"]),
        ([("group_by", name) for name in TEXTS[:5]], ["4", "5"]),
        ([("compare", "us")], ["us", "rest", "release=2.14"]),
        ([("attr.", "x")], ["attr."]),
        ([("browser", "!")], ["browser=!", '""']),
        ([("route", "x" * 3_000)], ["route", "2048"]),
        ([("user", str(n)) for n in range(51)], ["50"]),
        ([("view", "<b>")], ["<b>"]),
    ],
)
def test_what_cannot_be_asked_is_named(pairs: list[tuple[str, str]], words: list[str]) -> None:
    with pytest.raises(BadQuestion) as refused:
        parse(pairs, APPS, NOW)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("plain", "word"),
    [
        ({"wher": {}}, "wher"),
        ({"where": {"brwoser": "Chrome"}}, "brwoser"),
        ({"where": ["route"]}, "route"),
        ({"where": {"app": "shop", "route": None}}, "route"),
        ({"where": {"app": "nobody"}}, "nobody"),
    ],
)
def test_a_rule_says_nothing_that_is_not_understood(plain: dict[str, Any], word: str) -> None:
    with pytest.raises(BadQuestion, match=word):
        from_plain(plain, APPS, NOW)


def test_the_rule_of_the_documentation() -> None:
    where = {"app": "shop", "route": "/checkout/**", "device": "mobile", "status_code": 500, "save_data": True}
    question = from_plain({"metric": "lcp", "aggregate": "p75", "where": where, "group_by": ["route"]}, APPS, NOW)
    assert question.app == "shop"
    assert question.filters == {"route": "/checkout/**", "device": "mobile", "status_code": "500", "save_data": "1"}
    assert question.group_by == ("route",)


def test_comparisons_as_one_writes_them() -> None:
    for address in ("duration_ms>500", "duration_ms=>500", "duration_ms%3E500"):
        assert parse(parse_qsl(address, keep_blank_values=True), APPS, NOW).where == (("duration_ms", ">500"),)
    assert parse(parse_qsl("duration_ms>=500"), APPS, NOW).where == (("duration_ms", ">=500"),)


def test_links_keep_everything_and_one_can_take_things_away() -> None:
    question = parse([("browser", "Chrome"), ("browser", "Safari"), ("os", "!iOS"), ("from", "1")], APPS, NOW)
    assert question.narrowed(browser="Edge").filters == {"browser": "Edge", "os": "!iOS"}
    assert question.narrowed(browser="").filters == {"os": "!iOS"}
    assert question.without("browser", "Chrome").filters == {"browser": "Safari", "os": "!iOS"}
    assert question.where_also("os", "!Android").filters["os"] == ["!Android", "!iOS"]
    assert question.narrowed(route="*").filters["route"] == "\\*"
    assert milliseconds(question.since) == 1
    assert question.over("1h").since == NOW - timedelta(hours=1)
