"""How a page can end, and a page that has something to say when it does. Shared by the tests and `bench.losses`."""

import os
import signal
import time

from playwright.sync_api import Browser

from tests.conftest import wait_until
from tests.snippet.conftest import Open, Visit

LAST = "setTimeout(() => { throw new Error('the last thing') })"


def close(visit: Visit) -> None:
    visit.page.close()


def navigate(visit: Visit) -> None:
    visit.page.goto("about:blank")


def reload(visit: Visit) -> None:
    visit.page.reload()


def go_back(visit: Visit) -> None:
    visit.page.go_back()


def crash(visit: Visit) -> None:
    browser = visit.context.browser
    assert browser is not None
    kill_renderers(browser)


def kill_renderers(browser: Browser) -> None:
    """No event fires in their pages."""
    session = browser.new_browser_cdp_session()
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)
    session.detach()


def hide_then_crash(visit: Visit) -> None:
    visit.page.evaluate(
        """() => { Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
        Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); }"""
    )
    visit.page.evaluate("setTimeout(() => { throw new Error('while hidden') })")
    time.sleep(0.1)
    crash(visit)


ENDS = {f.__name__: f for f in (close, navigate, reload, go_back, crash, hide_then_crash)}


def live_and_end(visit: Open, end: str) -> Visit:
    """A page that was looked at, clicked once and failed, 60 ms before it ends."""
    opened = visit("<h1>Hello</h1><button id=b onclick='0'>b</button>", goto=False)
    opened.page.goto("about:blank")
    opened.page.goto(opened.site.url + "/page", wait_until="load")
    opened.page.wait_for_timeout(600 if end == "crash" else 250)  # the view and its vitals, not yet sent
    opened.page.click("#b")
    opened.page.evaluate(LAST)
    opened.page.wait_for_timeout(60)
    ENDS[end](opened)
    return opened


def lost(opened: Visit, end: str, timeout_s: float = 12) -> set[str]:
    """What of that page never arrived; empty when all did."""
    wanted = {"view", "vital", "action", "the last thing"} | ({"while hidden"} if end == "hide_then_crash" else set())

    def missing() -> set[str]:
        errors = opened.events("error")
        if not errors:
            return wanted
        mine = [
            e for e in opened.events() if e["of"]["view_id"] == errors[0]["of"]["view_id"]
        ]  # a reload is a view too
        return wanted - {e["type"] for e in mine} - {e["message"] for e in errors}

    try:
        wait_until(lambda: not missing(), timeout_s)
    except AssertionError:
        return missing()
    return set()


def away_for_a_while(visit: Open, seconds: float = 3.5) -> Visit:
    """A page whose collector answers 503 from its first beacon on, for so long."""
    first: list[float] = []
    opened = visit(goto=False)

    def away() -> int | None:
        first.append(time.monotonic())
        return 503 if first[-1] - first[0] < seconds else None

    opened.site.attempts.clear()
    opened.site.answers = away
    opened.page.goto(opened.site.url + "/page", wait_until="load")
    opened.page.evaluate("farside.mark('while away')")
    opened.page.wait_for_timeout(1500)
    opened.page.evaluate("farside.mark('still away')")
    return opened


def lost_while_away(opened: Visit, timeout_s: float = 12) -> set[str]:
    def missing() -> set[str]:
        return (
            {"view", "while away", "still away"}
            - {e.get("name", e["type"]) for e in opened.events()}
            - {e["type"] for e in opened.events()}
        )

    try:
        wait_until(lambda: not missing(), timeout_s)
    except AssertionError:
        return missing()
    return set()
