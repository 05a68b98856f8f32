"""Rules as text: all that can be said is read, and a mistake is told with its place and what would be right."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.folder import Folder, ready
from collector.alerts.rules import Rule, Span
from collector.alerts.text import BadRules, read, write

FULL = """
- id: checkout-lcp
  owner: team-checkout
  metric: lcp
  aggregate: p75
  where: {app: shop, route: "/checkout/**", device: mobile}
  group_by: [route]
  every: 5m
  window: {samples: 200, min: 5m, max: 24h}
  fire:  {above: 2500, confidence: 95, min_users: 10, for: 3}
  clear: {below: 2300, for: 6}
  no_data: {after: 30m}
  tests: [{from: 2026-11-03T10:00Z, to: 2026-11-03T12:00Z, expect: firing}]
"""


def complaint(text: str) -> str:
    with pytest.raises(BadRules) as caught:
        read(text, "shop.yaml")
    return caught.value.complaints[0]


def test_the_documented_rule_is_read_as_it_is_written() -> None:
    (rule,) = read(FULL)
    assert (rule.app, rule.fire.above, rule.fire_for, rule.clear_at, rule.clear_for) == ("shop", 2500, 3, 2300, 6)
    assert rule.conditions == (("route", "/checkout/**"), ("device", "mobile"))
    assert rule.window.max == Span("24h")
    assert rule.no_data is not None
    assert rule.no_data.after == Span("30m")
    assert rule.tests[0].expect == "firing"


def test_what_is_written_is_read_as_the_same_rule() -> None:
    (rule,) = read(FULL)
    assert read(write(rule)) == [rule]
    for prepared in ready().values():
        assert read(write(prepared)) == [prepared]


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("above: 2500", "above: fast"), 10, ["fire.above", "'fast'", "a number"]),
        (("samples: 200", "sample: 200"), 9, ["window.sample", "did you mean 'samples'?"]),
        (("every: 5m", "every: 5 minutes"), 8, ["every", "'5 minutes'", "such as 5m"]),
        (("metric: lcp", "metric: lpc"), 4, ["metric", "'lpc'", "there are lcp"]),
        (("aggregate: p75", "aggregate: mean"), 5, ["aggregate", "'mean'", "p75"]),
        (("route: \"/checkout/**\"", "rout: /x"), 6, ["where.rout", "there is no field 'rout'"]),
        (("id: checkout-lcp", "id: Checkout LCP"), 2, ["id", "'Checkout LCP'", "lower-case"]),
        (("group_by: [route]", "group_by: [endpoint]"), 7, ["group_by", "'endpoint'", "field of the view"]),
        (("max: 24h", "max: 7m"), 9, ["window.max", "'7m'", "steps of 5m"]),
        (("below: 2300", "below: 2700"), 11, ["clear.below", "2700", "above the limit 2500"]),
        (("{app: shop, ", "{"), 6, ["where", "lacks the app"]),
        (("expect: firing", "expect: maybe"), 13, ["tests[0].expect", "firing, ok, no_data"]),
        (("metric: lcp", "metric: lcp\n  metric: inp"), 5, ["metric", "said twice"]),
        (("owner: team-checkout", "owner: [team"), 4, ["not YAML"]),
        (("owner: team-checkout", "owner: !!python/object:os.system x"), 3, ["owner", "tag"]),
        (("owner: team-checkout", "owner: &a x\n  about: *a"), 3, ["anchors"]),
    ],
)  # fmt: skip
def test_a_mistake_names_file_line_field_value_and_remedy(change: tuple[str, str], line: int, words: list[str]) -> None:
    said = complaint(FULL.replace(*change))
    assert said.startswith(f"shop.yaml:{line}: "), said
    assert [word for word in words if word not in said] == [], said


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    (rule,) = read(FULL.replace("device: mobile", "country: NO, release: 1.10.0"))
    assert ("country", "NO") in rule.conditions


def test_an_objective_that_could_never_fire_is_refused() -> None:
    said = complaint("- {id: b, kind: burn, metric: lcp, aggregate: share_poor, where: {app: shop}, objective: 90}")
    assert "burns[0].rate = 14.4" in said
    assert "could never fire" in said


@given(st.text(max_size=300))
def test_any_text_is_rules_or_complaints(text: str) -> None:
    try:
        assert all(isinstance(rule, Rule) for rule in read(text))
    except BadRules as error:
        assert error.complaints


def test_a_dozen_rules_come_with_farside_each_explained() -> None:
    assert len(ready()) >= 12
    assert "feed-burst" in ready()
    for rule in ready().values():
        assert rule.title, rule.id
        assert len(rule.about) > 100, rule.id


def test_a_folder_is_read_again_and_keeps_what_it_had_when_a_file_breaks(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "rules")
    assert not folder.refresh()
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "shop.yaml"
    file.write_text(FULL)
    assert folder.refresh()
    assert list(folder.rules) == ["checkout-lcp"]
    file.write_text(FULL.replace("lcp", "lpc "))
    assert folder.refresh()
    assert list(folder.rules) == ["checkout-lcp"], "a rule is not dropped because of a typing error"
    assert folder.complaints[0].startswith("shop.yaml:")
    file.unlink()
    assert folder.refresh()
    assert not folder.rules


def test_a_rule_made_on_a_page_is_a_file_of_its_own(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "rules")
    rule = ready()["feed-burst"]
    folder.put(rule)
    assert read((tmp_path / "rules" / "feed-burst.yaml").read_text()) == [rule]
    more = FULL.replace("checkout-lcp", "other") + FULL
    (tmp_path / "rules" / "team.yaml").write_text(more)
    folder.refresh()
    with pytest.raises(BadRules, match=r"team.yaml"):
        folder.put(read(FULL)[0])
    folder.remove("feed-burst")
    assert list(folder.rules) == ["other", "checkout-lcp"]
