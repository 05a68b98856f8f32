"""The golden beacons are what today's snippet sends: same fields outside, same kinds of event inside."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.conftest import GOLDEN, USER_AGENT
from tests.snippet.golden import SCENES, play
from tests.snippet.site import Site

# There or not from one run to the next.
BY_CHANCE = {"deferred", "connection", "device_memory", "dropped", "longframe", "mark", "resource"}


def shape(beacon: dict[str, Any]) -> tuple[set[str], set[str]]:
    return set(beacon) - BY_CHANCE, {event["type"] for event in beacon["events"]} - BY_CHANCE


@pytest.mark.parametrize("name", SCENES)
def test_the_snippet_sends_what_the_golden_beacon_says(site: Site, browser: Browser, name: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, user_agent=USER_AGENT)
    sent = play(site, context.new_page(), name)
    context.close()
    assert not site.refused
    assert shape(sent) == shape(json.loads((GOLDEN / f"{name}.json").read_text()))
