"""Agents: what a User-Agent header and client hints say of a browser, its system and its device.

Parsing is `user-agents`' work and takes milliseconds; a bounded cache makes it a look-up. Chromium froze parts of its
header (https://www.chromium.org/updates/ua-reduction/): what is frozen is not repeated as if it were known.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import user_agents


class Agent(NamedTuple):
    """What visited; empty where it is not known. `bot_score` is 0 for a person's browser and 100 for a robot."""

    browser: str
    browser_version: str
    os: str
    os_version: str
    device: str
    bot_score: int


class Hints(NamedTuple):
    """The client hints browsers send unasked, as they came: Sec-CH-UA, -Mobile, -Platform."""

    brands: str = ""
    mobile: str = ""
    platform: str = ""


_BRAND = re.compile(r'"([^"]{1,64})";\s*v="(\d{1,6})')
_BRAND_NAMES = {"Google Chrome": "Chrome", "Microsoft Edge": "Edge", "YaBrowser": "Yandex Browser"}
_SYSTEMS = {"macOS": "Mac OS X", "Chrome OS": "Chrome OS", "Chromium OS": "Chrome OS"}
_FROZEN = re.compile(r"Windows NT 10\.0|Mac OS X 10_15_7|Android 10; K\)|CrOS x86_64 14541\.0\.0")
_AUTOMATED = re.compile(r"headless|phantomjs|puppeteer|playwright|selenium|electron-fiddle", re.IGNORECASE)
_TOOLS = re.compile(r"^(?:curl|wget|python|go-http|java|node|okhttp|axios|libwww|httpie)", re.IGNORECASE)


@lru_cache(maxsize=8_192)
def agent_of(header: str, hints: Hints = Hints()) -> Agent:  # noqa: B008  (immutable)
    """Read one visitor's headers. The hints win where they say something: they are not frozen."""
    parsed = user_agents.parse(header[:512])
    browser, version = parsed.browser.family, str(parsed.browser.version[0]) if parsed.browser.version else ""
    if brand := _brand(hints.brands):
        browser, version = brand
        if parsed.is_mobile and not browser.endswith("Mobile") and parsed.browser.family.startswith(browser):
            browser = parsed.browser.family
    system = _system(hints.platform) or parsed.os.family
    # A header that names another system than the hint was made up (a "request desktop site", an emulation): its version
    # is that of a system nobody has.
    is_known = system == parsed.os.family and not _FROZEN.search(header)
    return Agent(
        browser=browser,
        browser_version=version,
        os=system,
        os_version=parsed.os.version_string if is_known else "",
        device=_device(parsed, hints),
        bot_score=_bot_score(parsed, header, hints),
    )


def _system(platform: str) -> str:
    """The system a hint names, in the words of the header's parser; empty when it names none."""
    name = platform.strip('"')
    return "" if name == "Unknown" else _SYSTEMS.get(name, name)


def _brand(brands: str) -> tuple[str, str] | None:
    """The brand that says most: neither the deliberate nonsense in the list nor plain Chromium, if there is another."""
    found = [(name, version) for name, version in _BRAND.findall(brands) if "not" not in name.lower()]
    named = [pair for pair in found if pair[0] != "Chromium"] or found
    return (_BRAND_NAMES.get(named[0][0], named[0][0]), named[0][1]) if named else None


def _device(parsed: user_agents.parsers.UserAgent, hints: Hints) -> str:
    if parsed.is_bot:
        return "bot"
    if parsed.is_tablet:
        return "tablet"
    if parsed.is_mobile or hints.mobile == "?1":
        return "mobile"
    return "desktop" if parsed.is_pc else "other"


def _bot_score(parsed: user_agents.parsers.UserAgent, header: str, hints: Hints) -> int:
    if parsed.is_bot or _AUTOMATED.search(header) or _AUTOMATED.search(hints.brands):
        return 100
    if not header or _TOOLS.match(header):
        return 90
    return 0
