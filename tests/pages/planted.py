"""A day in the shop with faults planted where pages must show them: sessions of people, and one feed that floods.

What is planted stands in constants, so that a test can say what it expects before a page is asked.
"""

import json
from typing import Any

from tests.pages.shop import AGENTS, ROUTES, Shop, hex_of

SCREENS = [  # width, height, share
    (1366, 650, 18), (1920, 940, 20), (412, 780, 28), (360, 640, 12), (390, 720, 12), (1080, 1_840, 4), (1440, 2_100, 6),
]  # fmt: skip
FLOODED_ROUTE, FLOODED_FROM, FLOOD = "/collections/:id", 2_000, 6
SLOW_USER = "u42"
THIRD_PARTIES = [  # address, what started it, bytes, median ms
    ("https://cdn.metrics.example/tag.js", "script", 48_000, 160),
    ("https://fonts.example/inter.woff2", "css", 31_000, 90),
    ("https://ads.example/frame.html", "iframe", 122_000, 420),
    ("https://img.shop.example/hero.webp", "img", 210_000, 310),
]
TARGETS = ["main > img.hero", "main > img.hero", "main > h1", "section.grid > article:nth-of-type(1) img"]


class Day(Shop):
    """A shop whose visitors have sessions, screens of their own and third parties in their pages."""

    def fill(self, sessions: int, over_ms: int = 3_600_000) -> None:
        """Sessions of one to five views, spread over the last `over_ms`; the flood is in it."""
        for i in range(sessions):
            started = self.now_ms - 90_000 - (sessions - 1 - i) * (over_ms - 120_000) // sessions
            user = "" if self.rng.random() < 0.35 else f"u{self.rng.randrange(40)}"
            self.session(user, started, self.rng.choice([1, 1, 2, 2, 3, 5]))

    def session(self, user: str, started_ms: int, views: int, **more: Any) -> list[dict[str, Any]]:
        """One visitor's run of views."""
        browser, version, os, os_version, device, _, _ = self.rng.choice(AGENTS)
        screens = [s for s in SCREENS if (s[0] < 500) == (device == "mobile")]
        width, height, _ = self.rng.choices(screens, [s[2] for s in screens])[0]
        person = {
            "session_id": hex_of(self.rng, 32), "user_id": user, "browser": browser, "browser_version": version,
            "os": os, "os_version": os_version, "device": device, "viewport_width": width, "viewport_height": height,
            "country": self.rng.choice(["DE", "FR", "US", "JP"]), "connection": self.rng.choice(["4g", "4g", "4g", "3g"]),
            "release": "2.15.0" if started_ms > self.now_ms - 1_500_000 else "2.14.0",
        } | more  # fmt: skip
        seen = []
        for nr in range(views):
            route = self.rng.choices(list(ROUTES), [row[0] for row in ROUTES.values()])[0]
            seen.append(self.visit(route, started_ms + nr * 14_000, **person))
        return seen

    def visit(self, route: str, started_ms: int, **person: Any) -> dict[str, Any]:
        """One view with its third parties, and with the flood where it is planted."""
        view = self.view(route, started_ms, **person)
        first, second, _ = self.traffic.lines[-3:]
        slow = 2.6 if person.get("user_id") == SLOW_USER else 1.0
        for event in (*first["events"], *second["events"]):
            if event["type"] == "vital" and event["name"] != "CLS":
                event["value"] *= slow
            if event["type"] == "vital" and event["name"] == "LCP":
                event["target"] = self.rng.choice(TARGETS)
        for url, initiator, size, took in THIRD_PARTIES:
            if self.rng.random() < 0.7:
                first["events"].append({
                    "type": "resource", "at": 150.0, "duration_ms": took * self.rng.lognormvariate(0, 0.5), "url": url,
                    "endpoint": url, "initiator": initiator, "bytes": size, "status_code": 200,
                    "failure": "network" if self.rng.random() < 0.04 else "",
                })  # fmt: skip
        if route == FLOODED_ROUTE and person["viewport_height"] >= FLOODED_FROM:
            for line in (first, second):
                self._flood(line)
        return view

    @staticmethod
    def _flood(line: dict[str, Any]) -> None:
        """Every request of this view happens FLOOD times: the talk's handler, which fires until the page has grown."""
        again = [event for event in line["events"] if event["type"] in {"fetch", "feed"}]
        for nr in range(2, FLOOD + 1):
            for event in again:
                burst = {"burst": nr, "duplicates": nr - 1, "items": 0} if event["type"] == "feed" else {}
                line["events"].append(event | burst | {"at": event["at"] + 9.0 * nr})


# What a page, a visitor or a backend may call things, at its worst.
HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in () %}",
    "a\u202egnp.exe",
    "&lt;b&gt; &amp; 'quoted' \"twice\"",
    "\x07bell\x1b[31m",
    "🦄" * 40,
]
FORMULA = '=HYPERLINK("https://evil.example","x")'


def poisoned(shop: Shop, visibility: str = "visible") -> dict[str, Any]:
    """A view in which everything a page can choose is chosen by an enemy, some of it ten kilobytes long."""
    poison, long = " ".join(HOSTILE), "x" * 10_240
    view: dict[str, Any] = shop.view("/", shop.now_ms - 60_000, visibility=visibility)
    for line in shop.traffic.lines[-3:]:
        for event in line.get("events", []):
            event.update(name=event["name"] if event["type"] == "vital" else poison, target=poison, url=poison)
            event.update(endpoint=poison, cause=HOSTILE[0], initiator=HOSTILE[1])
            event["attributes"] = {poison: poison, FORMULA: long}
        for span in line.get("spans", []):
            span.update(name=poison, service=HOSTILE[0], attributes={poison: long}, status_message=poison)
            span["resource"] = {"host.name": poison}
        if line.get("view_id"):
            line.update(user_id=HOSTILE[1], release=HOSTILE[0], url=f"/{poison}", browser=HOSTILE[3], route=poison)
            line.update(flags={HOSTILE[0]: poison}, flag_sources={HOSTILE[0]: poison}, attributes={HOSTILE[1]: poison})
            line.update(country=FORMULA, team=HOSTILE[0], snippet=HOSTILE[1], connection=FORMULA)
            line["events"] += [
                {
                    "type": "error", "at": 5.0, "name": poison, "error_type": poison, "message": poison, "stack": poison,
                    "breadcrumbs": json.dumps([[1, poison, poison], "odd", [2]]), "fingerprint": "ab" * 8,
                },
                {"type": "resource", "at": 6.0, "duration_ms": 3.0, "url": f"https://{long}", "endpoint": FORMULA},
                {"type": "feed", "at": 7.0, "name": FORMULA, "batch": 1, "burst": 1, "duration_ms": 5.0},
                {"type": "feed", "at": 7.0, "name": long, "batch": 1, "burst": 9, "duration_ms": 5.0},
            ]  # fmt: skip
    view.update(user_id=HOSTILE[1], release=HOSTILE[0], route=poison)
    return view
