"""The tour: every page with its picture, taken from the demo; writes docs/tour.md and docs/tour/*.webp: `make tour`.

Starts the shop with a collector of its own, sends visitors through it, and opens each page of the collector in a browser.
What a picture shows is what those visitors lived through. Then each trouble of the shop is planted, met by walkers, and
followed from its alert to the page that explains it. Usage: python -m docs.make_tour [--visits N]
"""

import argparse
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from collector.demo.browser import find
from docs.walks import WALKS, Walk
from tests.demo.hurried import NEW_FOR_S, write_hurried

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "tour"
WIDTH, HEIGHT, TALLEST = 1360, 900, 1500
MOST_BYTES = 150_000


class Stop(NamedTuple):
    """One page of the tour: its name, its address (parts in braces are filled from the demo), and what one sees."""

    name: str
    title: str
    address: str
    words: str
    theme: str = "light"


STOPS = (
    Stop("overview", "Overview", "/", "Is it fine, and where not? Five vitals with what each number rests on, against the hour "
         "before and a week ago; routes by what they cost your visitors; feeds, errors, newest views."),
    Stop("feeds", "Feeds", "/feeds", "What an infinite scroll asks of your backend: requests for each view by route and height of the "
         "window. The handler that fires again and again until the page has grown stands out of its row, ranked first, and one click "
         "from the view that asked most."),
    Stop("routes", "Routes", "/routes", "All types of pages, sorted by any column."),
    Stop("route", "One route", "/routes?route={route}", "Why it is slow, and for whom: the heatmap of its values over time, to drag "
         "over; its p75 with releases marked; what LCP is made of; elements; devices, browsers, countries, connections; its "
         "slowest views."),
    Stop("view", "One view", "/views/{view_id}", "One page view from the browser into the backend: navigation, vitals as marks, "
         "requests with what the services did inside them."),
    Stop("trace", "One trace", "/traces/{trace_id}", "The same for any trace, page load or single request.", "dark"),
    Stop("traces", "Traces", "/traces", "Search traces, and see how many requests found their backend."),
    Stop("map", "Map", "/map", "How data flows: browser, third parties, services, stores; what does not propagate is dashed."),
    Stop("user", "One user", "/users/{user_id}", "What is happening to them, and is it only them? Each of their views within the "
         "distribution of everybody on the same routes."),
    Stop("session", "One session", "/sessions/{session_id}", "What happened, view by view, with what went wrong in each."),
    Stop("team", "One team", "/teams/{team}", "What a team owns, against everybody."),
    Stop("now", "Now", "/now", "Views, fetches, feed loads and errors as they arrive; narrow, pause, link to a moment.", "dark"),
    Stop("errors", "Errors", "/errors", "Groups that are stable across builds, each with its newest trace."),
    Stop("releases", "Releases", "/releases", "What is running where, and since when it took effect."),
    Stop("flags", "Flags", "/flags", "What each value of a flag does, and who got a default because the flag service was away."),
    Stop("compare", "Compare", "/compare?metric=lcp&device=mobile&compare=rest", "A part of the traffic against the rest: every dimension, ranked by "
         "how much the two differ."),
    Stop("explore", "Explore", "/explore?metric=lcp&group_by=route", "Any metric, filter and group; the SQL that answered."),
    Stop("resources", "Resources", "/resources", "What third parties cost, and your own assets."),
    Stop("pipeline", "Pipeline", "/pipeline", "May you trust the data: stored, refused with what to do, lost, late, joined."),
    Stop("alerts", "Alerts", "/alerts", "Rules, their states, and every flip with its figures."),
    Stop("audit", "Audit", "/audit", "Who changed what, and when."),
    Stop("setup", "Setup", "/setup", "What to paste, with your host and key in it; waits for the first beacon with you, and names what "
         "is refused and its fix."),
)  # fmt: skip


def main() -> int:
    """Make the pictures and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=40, help="visitors sent through the shop (%(default)s)")
    parser.add_argument("--walks", action="store_true", help="follow the troubles alone; the pages keep their pictures")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="farside-tour-") as folder:
        home = f"http://127.0.0.1:{_free_port()}"
        shop = _open_shop(home, Path(folder), options.visits)
        try:
            _wait_for_views(home, 1 if options.walks else options.visits, shop)
            taken = [stop for stop in STOPS if _file(stop.name).exists()] if options.walks else _take(home)
            _walk_all(home, _shop_of(Path(folder)))
        finally:
            os.killpg(shop.pid, signal.SIGTERM)
            shop.wait(30)
    (ROOT / "docs" / "tour.md").write_text(_page(taken))
    return 0


def _file(name: str) -> Path:
    return FOLDER / f"{name}.webp"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open_shop(home: str, folder: Path, visits: int) -> subprocess.Popen[bytes]:
    """The demo as `make demo` starts it, on ports and data of its own; visitors go on until it is stopped."""
    command = [
        sys.executable, "-m", "collector.demo", "--with-collector", "--collector", home, "--port", "0", "--traffic", "2",
        "--pace", "0.3",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    write_hurried(folder / "farside-data" / "rules")
    print(f"Sending {visits} visitors through the shop ...", flush=True)
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, stdout=said)


def _shop_of(folder: Path) -> str:
    return (folder / "said").read_text().partition("The shop is open:")[2].split()[0].rstrip("/")


def _read(address: str) -> dict[str, list[dict[str, str]]]:
    with urllib.request.urlopen(address, timeout=60) as reply:
        return dict(json.load(reply))


def _wait_for_views(home: str, visits: int, shop: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60 + 20 * visits
    while time.monotonic() < deadline:
        if shop.poll() is not None:
            raise SystemExit("the demo ended before the tour began")
        try:
            if sum(int(row["views"]) for row in _read(f"{home}/routes.json?wait=1")["routes"]) >= visits * 3:
                return
        except OSError:
            pass  # not open yet
        time.sleep(2)
    raise SystemExit("the visitors took too long")


def _take(home: str) -> list[Stop]:
    """Pictures of every stop that this Farside has."""
    overview = _read(f"{home}/overview.json?wait=1")
    route = overview["routes"][0]["route"]
    views = _read(f"{home}/routes.json?wait=1&range=15m&route={quote(route)}")["slow"]
    named = next((view for view in overview["views"] if view["user_id"]), overview["views"][0])
    parts = {
        "route": quote(route), "view_id": views[0]["view_id"], "trace_id": views[0]["trace_id"], "team": "shop",
        "user_id": quote(named["user_id"] or "nobody", safe=""), "session_id": named["session_id"],
    }  # fmt: skip
    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(playwright), args=["--no-sandbox"])
        for stop in STOPS:
            address = home + stop.address.format(**parts)
            if _picture(browser, f"{address}{'&' if '?' in address else '?'}wait=1&range=15m", stop):
                taken.append(stop)
        browser.close()
    return taken


def _walk_all(home: str, shop: str) -> None:
    """Each trouble planted, met, and followed from its alert."""
    _plant(shop, "")  # the shop opens with the list's
    _send_walkers(shop, 60)
    time.sleep(NEW_FOR_S + 15)  # a release is new beside one that has been there for longer
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(playwright), args=["--no-sandbox"])
        # The release first: the one before it, which it is compared with, must not be slow for another reason.
        for walk in sorted(WALKS, key=lambda walk: walk.trouble.name != "bad-release"):
            if not _is_calm(home, shop, walk):  # its pictures stay as they are
                print(f"{walk.trouble.title}: its rule fires for something else", file=sys.stderr, flush=True)
                continue
            _plant(shop, walk.trouble.name)
            _send_walkers(shop, walk.views, f"--page={walk.page}")
            try:
                fires = _fires(home, walk)
                if fires:
                    _follow(browser, home, walk)
                print(f"{walk.trouble.title}: {'followed' if fires else 'did not fire'}", flush=True)
            except (BrowserError, OSError) as error:  # its pictures stay as they are
                print(f"{walk.trouble.title}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
            _plant(shop, "")
        browser.close()


def _send_walkers(shop: str, views: int, *more: str) -> None:
    command = [sys.executable, "-m", "collector.demo.volume", shop, "--a-minute=6000", f"--views={views}"]
    # They walk as long as their standard input is open.
    with subprocess.Popen([*command, *more], cwd=ROOT, stdin=subprocess.PIPE) as walkers:
        if walkers.wait(300):
            raise SystemExit("the walkers fell, so nothing would be met")


def _plant(shop: str, name: str) -> None:
    urllib.request.urlopen(f"{shop}/control", f"trouble={name}".encode(), timeout=60).close()


def _is_firing(home: str, walk: Walk) -> bool:
    return bool(_read(f"{home}/alerts.json?rule={walk.trouble.rule}&wait=1")["firing"])


def _is_calm(home: str, shop: str, walk: Walk) -> bool:
    """Whether the rule has nothing (more) to say of what went before, so that its alert is of the trouble meant."""
    deadline = time.monotonic() + 180
    while is_firing := _is_firing(home, walk):
        if time.monotonic() > deadline:
            break
        _send_walkers(shop, walk.views, f"--page={walk.page}")
        time.sleep(12)  # it looks every ten seconds
    return not is_firing


def _fires(home: str, walk: Walk) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if _is_firing(home, walk):
            return True
        time.sleep(1)
    return False


def _follow(browser: Browser, home: str, walk: Walk) -> None:
    """The alert's picture, and that of the page it leads to."""
    page = browser.new_page(viewport={"width": 1100, "height": HEIGHT})
    page.goto(f"{home}/alerts?rule={walk.trouble.rule}&wait=1", timeout=120_000)
    _shoot(page, f"alert-{walk.trouble.name}", page.locator("article.alert").first.bounding_box())
    page.locator(f'article.alert a[href^="{walk.trouble.page}?"]').first.click(timeout=120_000)
    page.goto(f"{page.url}&wait=1", timeout=120_000)  # however long this machine takes
    page.wait_for_timeout(1_200)
    # What names the cause, with what stands around it.
    named = page.locator("main").locator(".findings, .warning, .verdict, [aria-labelledby=repeats], .facts-row").first
    found = named.bounding_box() if named.count() else None
    top = max(0, int(found["y"]) - 120) if found else 0
    _shoot(page, f"cause-{walk.trouble.name}", {"x": 0, "y": top, "width": 1100, "height": 560})
    page.close()


def _shoot(page: Page, name: str, box: Any) -> None:
    """A part of a page, as good as fits into half of MOST_BYTES."""
    tools = page.context.new_cdp_session(page)
    for quality in (82, 70, 58, 46, 34):
        shot = tools.send("Page.captureScreenshot", {
            "format": "webp", "quality": quality, "clip": {**box, "scale": 1}, "captureBeyondViewport": True,
        })  # fmt: skip
        picture = base64.b64decode(shot["data"])
        if len(picture) <= MOST_BYTES // 2:
            break
    _file(name).write_bytes(picture)


def _picture(browser: Browser, address: str, stop: Stop) -> bool:
    """One picture, as good as fits into MOST_BYTES; False when there is no such page."""
    dark = stop.theme == "dark"
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if dark else "light")
    reply = page.goto(address)
    found = reply is not None and reply.ok
    if found:
        page.wait_for_timeout(1_200)
        height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
        page.set_viewport_size({"width": WIDTH, "height": height})
        tools = page.context.new_cdp_session(page)
        for quality in (82, 70, 58, 46, 34, 24):
            shot = tools.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
            picture = base64.b64decode(shot["data"])
            if len(picture) <= MOST_BYTES:
                break
        _file(stop.name).write_bytes(picture)
    print(f"{stop.title}: {f'{len(picture) // 1000} kB' if found else 'no such page'}", flush=True)
    page.close()
    return found


def _walked(walk: Walk) -> list[str]:
    trouble = walk.trouble
    lines = [f"### {trouble.title}", "", trouble.story, ""]
    for kind, words, address in (
        ("alert", walk.words, f"/alerts?rule={trouble.rule}"), ("cause", walk.learned, trouble.page)
    ):  # fmt: skip
        lines += [f"{words} (`{address}`)", ""]
        if _file(f"{kind}-{trouble.name}").exists():
            lines += [f"![The {kind}: {trouble.title}](tour/{kind}-{trouble.name}.webp)", ""]
    return lines


def _page(taken: list[Stop]) -> str:
    lines = [
        "# A tour of the pages",
        "",
        "Every picture is of the demo shop, taken by `make tour`: what it shows is what the visitors it sent lived through.",
        "Each page is also there as `.json` and `.csv`, works without scripts, and in light and dark. `?` lists the keys.",
        "",
        "First each page by itself; then, [from the alert to the cause](#from-the-alert-to-the-cause), each trouble that the",
        "shop's control page can plant.",
        "",
    ]
    for stop in taken:
        lines += [
            f"## {stop.title}",
            "",
            f"`{stop.address}`",
            "",
            stop.words,
            "",
            f"![{stop.title}](tour/{stop.name}.webp)",
            "",
        ]
    lines += [
        "## From the alert to the cause",
        "",
        "Start the demo with `make demo`, open the shop's `/control`, plant one trouble at a time, and let visitors meet it.",
        "Each is found by a rule that comes with Farside, and the alert links to the page that explains it. For these pictures",
        "the rules were told to look every ten seconds; as they come they take their minutes.",
        "",
    ]
    return "\n".join([*lines, *(line for walk in WALKS for line in _walked(walk))])


if __name__ == "__main__":
    sys.exit(main())
