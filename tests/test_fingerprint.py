"""Errors stay in their group when the app is built again, and different errors do not share one."""

import time

import pytest

from collector.fingerprint import fingerprint_of
from tests.builds import three_builds


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> list[dict[int, str]]:
    """For each build: the number of each case and its group."""
    return [
        {e["nr"]: fingerprint_of(e["type"], e["message"], e["stack"], "/assets/app.js") for e in build.errors}
        for build in three_builds(tmp_path_factory.mktemp("builds"))
    ]


def test_at_least_95_of_100_errors_stay_in_their_group(groups: list[dict[int, str]]) -> None:
    first, *later = groups
    assert len(first) >= 30
    for build in later:
        assert build.keys() == first.keys()
        kept = [nr for nr, group in build.items() if group == first[nr]]
        assert len(kept) >= 0.95 * len(first), sorted(set(first) - set(kept))


def test_different_errors_have_groups_of_their_own(groups: list[dict[int, str]]) -> None:
    for build in groups:
        assert len(set(build.values())) >= 0.85 * len(build)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t.sum is not a function", "cart.sum is not a function"),
        ("t is not a function", "(intermediate value) is not a function"),
        ("Uncaught TypeError: x", "TypeError: x"),
        ("Cannot access 'e' before initialization", "Cannot access 'late' before initialization"),
        ("Cannot destructure property 'code' of 'e' as it is undefined.",
         "Cannot destructure property 'code' of 'globalThis.coupon' as it is undefined."),
        ('can\'t access property "price", e.product is undefined', 'can\'t access property "price", product is undefined'),
        ("undefined is not an object (evaluating 'e.product.price')", "undefined is not an object (evaluating 'x.price')"),
        ("e.sum is not a function. (In 'e.sum()', 'e.sum' is undefined)",
         "cart.sum is not a function. (In 'cart.sum()', 'cart.sum' is undefined)"),
        ("item 17 of 'cart' is gone", "item 99 of 'list' is gone"),
        ("Cannot load https://a.example/x?y=1 now", "Cannot load http://b.example/z now"),
        ("Class constructor t cannot be invoked without 'new'", "Class constructor Cart cannot be invoked without 'new'"),
    ],
)  # fmt: skip
def test_what_a_build_or_a_value_changes_in_a_message_does_not_count(one: str, other: str) -> None:
    assert fingerprint_of("TypeError", one, "", "") == fingerprint_of("TypeError", other, "", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Cannot read properties of undefined (reading 'price')",
            "Cannot read properties of undefined (reading 'code')",
        ),
        ("t.sum is not a function", "t.total is not a function"),
        ("Failed to execute 'appendChild' on 'Node'", "Failed to execute 'removeChild' on 'Node'"),
        ("a is not defined", "b is not defined"),
    ],
)
def test_what_names_a_property_or_a_global_counts(one: str, other: str) -> None:
    assert fingerprint_of("TypeError", one, "", "") != fingerprint_of("TypeError", other, "", "")


def test_a_strangers_script_is_not_ours() -> None:
    ours = fingerprint_of("Error", "x", "", "/assets/app-4f2a91c0.js")
    assert ours == fingerprint_of("Error", "x", "", "/assets/app-77aa01ff.js")
    assert ours != fingerprint_of("Error", "x", "", "https://tags.example/gtm.js")
    assert ours == fingerprint_of("Error", "x", "", "/assets/app.min.js")


def test_hostile_text_costs_the_door_little() -> None:
    texts = [
        "." * 16_384,
        "a." * 8_000,
        "at " * 5_000,
        "'" * 16_384,
        " is not " * 2_000,
        "at a.b (" * 2_000,
        "(" * 16_384,
    ]
    start = time.thread_time()
    for text in texts:
        for _ in range(20):
            fingerprint_of(text, text, text + "\n" + text, text)
    assert time.thread_time() - start < 0.5, "140 errors"
