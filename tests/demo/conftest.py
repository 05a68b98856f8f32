"""The shop as its users start it, a sink that collects its spans, and a real browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.demo.processes import Demo
from tests.demo.sink import Sink


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(scope="session")
def shop(sink: Sink) -> Iterator[str]:
    """The address of a shop that reports to the sink."""
    demo = Demo("--port=0", f"--collector={sink.url}")
    try:
        yield demo.opened()
    finally:
        demo.stop()


@pytest.fixture
def start() -> Iterator[type[Demo]]:
    """Demos of a test's own; all are stopped after it."""
    started: list[Demo] = []

    class Started(Demo):
        def __init__(self, *arguments: str) -> None:
            super().__init__(*arguments)
            started.append(self)

    yield Started
    for demo in started:
        demo.stop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    # One browser a test: Playwright's event loop must not be alive while other tests run theirs.
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
