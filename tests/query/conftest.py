"""A store with a shop's traffic in it, some of it sampled, for everything that asks."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import pytest

from collector.query.question import Question
from collector.store import Store
from tests.pages.conftest import now_in_ms, open_store, pages_over
from tests.pages.shop import Shop, Traffic

PLANTED = {"browser": "Mobile Safari", "release": "2.15.0", "route": "/checkout"}


def a_planted_cause(now_ms: int) -> Traffic:
    """Views of app `few` among which one browser on one release on one route is slow, and one in thirty others."""
    shop = Shop(seed=21, now_ms=now_ms, app="few")
    rng = random.Random(4)
    for nr in range(1_500):
        route = rng.choice(["/", "/checkout", "/collections/:id"])
        view = shop.view(route, now_ms - 3_500_000 + nr * 2_300, visibility="visible")
        is_slow = all(view[name] == value for name, value in PLANTED.items()) or rng.random() < 1 / 30
        for line in shop.traffic.lines[-3:]:
            for event in line.get("events", []):
                if event["type"] == "vital" and event["name"] == "LCP":
                    event["value"] = 6_000.0 if is_slow else 1_500.0
    return shop.traffic


class Filled(NamedTuple):
    """A store, what was put into it, and a question about all of it."""

    store: Store
    traffic: Traffic
    question: Question


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """An hour of 250 views of unequal weight, with attributes and flags."""
    store = open_store(tmp_path_factory.mktemp("filled"))
    now_ms = now_in_ms()
    shop = Shop(seed=5, now_ms=now_ms)
    for nr in range(250):
        rng = shop.rng
        plan = rng.choice(["free", "pro", ""])
        shop.view(
            rng.choice(["/", "/collections/:id", "/products/:id"]),
            now_ms - 3_500_000 + nr * 13_900,
            sample_n=rng.choice([1, 1, 4, 10]),
            attributes={"plan": plan, "basket": str(rng.randrange(200))} if plan else {},
            flags={"new-feed": rng.choice(["on", "off"])},
        )
    store.insert(shop.traffic.to_bytes(), "filled")
    store.insert(a_planted_cause(now_ms).to_bytes(), "planted")
    yield Filled(store, shop.traffic, Question("demo", datetime.fromtimestamp(now_ms / 1000, UTC)))
    store.close()


@pytest.fixture
def planted(filled: Filled) -> tuple[Store, Question]:
    """The app with the planted cause."""
    return filled.store, filled.question.about("few")


@pytest.fixture(scope="module")
def pages(filled: Filled) -> Iterator[httpx.Client]:
    """The pages over it, behind no gate."""
    with pages_over(filled.store, filled.question.at) as client:
        yield client
