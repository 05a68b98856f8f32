"""Signing in and changing something in a real Chromium, and what a page elsewhere can make of it."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Running, a_beacon
from tests.people.conftest import PASSWORD
from tests.people.test_serving import add_person

MESSAGE = "Cannot read properties of null (reading 'basket')"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("signed")
    add_person(folder, "anna", "editor")
    add_person(folder, "ben", "viewer")
    running = Running(folder)
    error = {"type": "error", "at": 500, "name": "error", "error_type": "TypeError", "message": MESSAGE}
    assert running.post(a_beacon({"type": "view", "at": 0, "duration_ms": 700}, error)).status == 204
    running.settled()
    yield running
    running.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    yield context.new_page()
    context.close()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_is_led_on_and_resolves_an_error(running: Running, page: Page) -> None:
    page.goto(f"{running.url}/errors?app=demo&wait=1")
    expect(page).to_have_url(f"{running.url}/sign-in?next=/errors%3Fapp%3Ddemo%26wait%3D1")
    sign_in(page, "anna", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Name")).to_have_value("anna")
    sign_in(page, "anna")
    expect(page).to_have_url(f"{running.url}/errors?app=demo&wait=1")
    page.get_by_role("link", name=MESSAGE).click()
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("main")).to_contain_text("resolved")
    expect(page.locator("main")).to_contain_text("by anna")
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    page.get_by_role("contentinfo").get_by_role("link", name="Audit").click()
    expect(page.locator("main")).to_contain_text("anna · error resolved")
    assert page.evaluate("document.cookie") == "", "scripts see no cookie of ours"
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{running.url}/errors")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_viewer_sees_no_button(running: Running, page: Page) -> None:
    page.goto(f"{running.url}/errors?state=all&wait=1")
    sign_in(page, "ben")
    page.get_by_role("link", name=MESSAGE).click()
    expect(page.get_by_role("heading", name=MESSAGE)).to_be_visible()
    assert page.get_by_role("button", name="Resolve").count() == 0
    assert page.get_by_role("button", name="Open again").count() == 0


def test_a_page_elsewhere_changes_nothing(running: Running, page: Page, tmp_path: Path) -> None:
    """Another port of the same host is the same *site*: cookies come along, and are not enough."""
    (tmp_path / "evil.html").write_text(
        f'<form method="post" action="{running.url}/errors/{"ab" * 8}/decision">'
        '<input name="do" value="resolve"><input name="csrf" value="guess"></form>'
        "<script>document.forms[0].submit()</script>"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page.goto(f"{running.url}/sign-in")
        sign_in(page, "anna")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        with page.expect_response(lambda reply: reply.url.endswith("/decision")) as caught:
            page.goto(f"http://127.0.0.1:{server.server_port}/evil.html")
        assert caught.value.status == 403
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert running.value("SELECT count() FROM error_states WHERE fingerprint = {f:String}", f="ab" * 8) == 0


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing on stderr."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass
