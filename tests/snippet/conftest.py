"""One collector for all tests of the snippet, a fresh Chromium per module, a site of its own per test."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.conftest import USER_AGENT, Running
from tests.snippet.site import Event, Site

FEW_CARDS = "<main id=list>" + "<article class=card>card</article>" * 12 + "</main>"


@pytest.fixture(scope="session")
def snippet_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("snippet"))
    yield running
    running.kill()


@pytest.fixture
def site(snippet_collector: Running) -> Iterator[Site]:
    site = Site(snippet_collector.url)
    yield site
    site.stop()


class Visit(NamedTuple):
    """A page of the site in a browser, and what arrived of it."""

    site: Site
    page: Page
    context: BrowserContext
    name: str
    complaints: list[str]

    def events(self, kind: str = "", **fields: Any) -> list[Event]:
        return self.site.events(self.name, kind, **fields)

    def wait_for(self, kind: str = "", count: int = 1, **fields: Any) -> list[Event]:
        return self.site.wait_for(self.name, kind, count, **fields)

    def vitals(self) -> dict[str, Event]:
        return self.site.vitals(self.name)

    def leave(self) -> None:
        """Close the tab, and wait for its last beacon to have arrived."""
        self.page.close()
        self.site.wait_for(self.name, "view")
        _settle(self.site)

    def dropped(self) -> dict[str, int]:
        """What the snippet says it dropped, its own failures included."""
        counts: dict[str, int] = {}
        for beacon in self.site.beacons:
            for reason, n in beacon.get("dropped", {}).items():
                counts[reason] = counts.get(reason, 0) + n
        return counts


def _settle(site: Site, quiet_s: float = 0.3) -> None:
    """Until no beacon has come for a while."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        before = len(site.attempts)
        time.sleep(quiet_s)
        if len(site.attempts) == before:
            return


Open = Callable[..., Visit]


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Open]:
    with visits_to(site, browser) as open_page:
        yield open_page


@contextmanager
def visits_to(site: Site, browser: Browser) -> Iterator[Open]:
    """Open a page whose body is given, with the snippet in its head; options become `data-` attributes.

    Every visit has a release of its own, by which its events are told apart. A failure of the snippet itself fails the test.
    """
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_page(
        body: str = "<h1>Hello</h1>",
        *,
        path: str = "/page",
        head: str = "",
        script: str = "farside.js",
        headers: dict[str, str] | None = None,
        context: BrowserContext | None = None,
        place: str = "async",
        goto: bool = True,
        tolerate: bool = False,
        **options: str,
    ) -> Visit:
        name = secrets.token_hex(4)
        data = {"key": "demo", "release": name, "url": f"{site.url}/b"} | options
        attributes = " ".join(f'data-{k.replace("_", "-")}="{v}"' for k, v in data.items() if v is not None)
        tag = f'<script src="{site.url}/{script}" {attributes} {place}></script>' if script else ""
        html = f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title>{head}{tag}{STYLE}<body>{body}</html>"
        site.pages[path.split("?")[0]] = (html, headers or {})
        if context is None:
            context = browser.new_context(viewport={"width": 1000, "height": 700}, user_agent=USER_AGENT)
            contexts.append(context)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        opened = Visit(site, page, context, name, complaints)
        if not tolerate:
            visits.append(opened)
        if goto:
            page.goto(site.url + path, wait_until="load")
        return opened

    yield open_page
    for context in contexts:
        context.close()
    for opened in visits:
        assert "internal" not in opened.dropped(), opened.dropped()


STYLE = """<style>body{margin:0;font:16px sans-serif}.card{height:100px;border:1px solid}button{padding:10px}</style>"""
