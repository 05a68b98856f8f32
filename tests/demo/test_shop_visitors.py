"""Visitors: they come, differ, leave through the door, and are counted."""

import random
from types import SimpleNamespace
from typing import Any

import pytest

from collector.demo import browser
from collector.demo.people import somebody
from tests.demo.processes import running


def test_so_many_visits_and_no_more(start, sink) -> None:
    already = len(sink.spans)
    demo = start("--port=0", f"--collector={sink.url}", "--traffic=2", "--visits=4", "--pace=0.1")
    demo.opened()
    children = demo.children()
    assert demo.ended(120) == 0
    assert running(children) == set()
    assert "Visitors: 2 at a time, 4 visits" in demo.output
    pages = {span.name for span in sink.spans[already:] if span.service == "web" and span.kind == 2}
    assert pages & {"GET /", "GET /products", "GET /products/{id:int}"}
    assert "GET /images/{id:int}" in pages


def test_people_differ() -> None:
    dice = random.Random(1)
    people = [somebody(dice) for _ in range(300)]
    assert {person.screen.name for person in people} >= {"laptop", "tall", "Android", "iPhone"}
    assert any(person.screen.height == 2000 for person in people)
    assert {person.line.name for person in people} == {"fibre", "cable", "4g", "3g"}
    assert all(person.slowdown == 1 or person.screen.device for person in people)


def test_without_a_browser_it_says_where_one_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setattr(browser, "_PLACES", ())
    playwright: Any = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chrome"))
    with pytest.raises(browser.NoBrowserError, match="playwright install chromium"):
        browser.find(playwright)
