"""Browser: the Chromium that the visitors use, an installed one if there is any."""

import os
import shutil
from pathlib import Path

from playwright.async_api import Browser, Playwright, ProxySettings

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser")
_PLACES = (
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(Exception):
    """No browser to visit the shop with; the message says where one comes from."""


async def launch(playwright: Playwright, user_agent: str, proxy: str = "") -> Browser:
    """A headless browser without anything of its user's, which calls itself `user_agent`."""
    # By argument, because what DevTools overrides for a page is not what the browser sends in the page's name after
    # the tab has closed: a beacon left with fetchLater would come from another browser than the rest of its view.
    arguments = [*_ARGUMENTS, f"--user-agent={user_agent}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox refuses to run as root, as in most containers
    # <-loopback>: else Chromium would spare the shop, which is on this machine, the way through the proxy.
    way: ProxySettings | None = {"server": proxy, "bypass": "<-loopback>"} if proxy else None
    return await playwright.chromium.launch(executable_path=find(playwright), args=arguments, proxy=way)


def find(playwright: Playwright) -> str:
    """The path of an installed Chromium, Chrome or relative, else of Playwright's own; NoBrowserError if there is none."""
    # Firefox is left out: Playwright speaks to its own build of it only, not to an installed one.
    named = filter(None, map(shutil.which, _NAMES))
    known = (place for place in (*_PLACES, playwright.chromium.executable_path) if Path(place).exists())
    found = next(named, None) or next(known, None)
    if found is None:
        raise NoBrowserError(
            "No Chromium or Chrome was found for the visitors. Install one, or fetch Playwright's own with:"
            " python -m playwright install chromium"
        )
    return found
