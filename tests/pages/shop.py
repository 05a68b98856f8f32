"""A shop's traffic, made up: the same lines for the same seed, so that a test can compute what a page must show.

Lines are rows of table `lines`, as the door would have spooled them. Nothing here is asked of the store: `Traffic`
keeps what it made, and oracles read that.
"""

import json
import random
from dataclasses import dataclass, field
from typing import Any

ROUTES = {
    # route: share of traffic, median LCP, median INP, fetches per load
    "/": (0.34, 2_100, 140, 3),
    "/collections/:id": (0.28, 1_900, 90, 2),
    "/products/:id": (0.24, 2_900, 210, 4),
    "/basket": (0.09, 1_500, 330, 2),
    "/checkout": (0.05, 3_900, 420, 5),
}
AGENTS = [
    ("Chrome", "156", "Windows", "11", "desktop", 1440, 900),
    ("Chrome Mobile", "156", "Android", "16", "mobile", 412, 915),
    ("Mobile Safari", "27", "iOS", "27.1", "mobile", 390, 844),
    ("Firefox", "150", "Linux", "", "desktop", 1920, 1080),
]
ERRORS = [
    ("error", "TypeError", "Cannot read properties of undefined (reading 'price')", "f00d000000000001"),
    ("rejection", "AbortError", "The operation was aborted.", "f00d000000000002"),
    ("resource", "", "img failed to load", "f00d000000000003"),
]
STACK = (
    "TypeError: Cannot read properties of undefined (reading 'price')\n"
    "    at renderPrice (http://shop.example/assets/feed.4f2a91c0.js:218:31)\n"
    "    at Array.map (<anonymous>)\n"
    "    at appendBatch (http://shop.example/assets/feed.4f2a91c0.js:164:18)"
)


def hex_of(rng: random.Random, digits: int) -> str:
    return f"{rng.getrandbits(digits * 4):0{digits}x}"


@dataclass
class Traffic:
    """Everything that was made: spooled lines, and the views they tell of."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in self.lines)

    def newest(self, vital: str, since: int = 0, until: int = 1 << 60) -> dict[str, tuple[float, str, int]]:
        """view_id → (value, visibility, received_at) of its newest report in (since, until]; what an oracle needs."""
        found: dict[str, tuple[float, str, int]] = {}
        lines = [line for line in self.lines if since < line["received_at"] <= until]
        for line in sorted(lines, key=lambda line: line.get("seq", 0)):
            for event in line.get("events", []):
                if event["type"] == "vital" and event["name"] == vital:
                    found[line["view_id"]] = (event["value"], line["visibility"], line["received_at"])
        return found

    def events(self, kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return [(line, event) for line in self.lines for event in line.get("events", []) if event["type"] == kind]


class Shop:
    """Makes traffic that ends at `now_ms`."""

    def __init__(self, seed: int, now_ms: int, app: str = "demo") -> None:
        self.rng = random.Random(seed)
        self.now_ms = now_ms
        self.app = app
        self.traffic = Traffic()

    def views(self, n: int, over_ms: int = 3_600_000) -> Traffic:
        """`n` views spread over the last `over_ms`."""
        for i in range(n):
            started = self.now_ms - 12_000 - (n - 1 - i) * (over_ms - 15_000) // n
            names, shares = list(ROUTES), [row[0] for row in ROUTES.values()]
            self.view(self.rng.choices(names, shares)[0], started)
        return self.traffic

    def view(self, route: str, started_ms: int, **more: Any) -> dict[str, Any]:
        """One view in two beacons, its backend spans in a third line."""
        rng = self.rng
        _, lcp, inp, fetches = ROUTES[route]
        browser, version, os, os_version, device, width, height = rng.choice(AGENTS)
        ahead_ms = more.pop("ahead_ms", rng.choice([0, 0, 40, -900, 3_200]))  # how far the client's clock is ahead
        slow = (1.5 if device == "mobile" else 1.0) * rng.lognormvariate(0, 0.35)
        view = {
            "view_id": hex_of(rng, 32), "session_id": hex_of(rng, 32), "trace_id": hex_of(rng, 32),
            "view_span_id": hex_of(rng, 16), "route": route, "visibility": "visible" if rng.random() > 0.04 else "hidden",
            "url": route.replace(":id", str(rng.randrange(1, 90))), "origin": "http://shop.example",
            "navigation": rng.choice(["navigate", "navigate", "navigate", "reload", "back-forward"]),
            "browser": browser, "browser_version": version, "os": os, "os_version": os_version, "device": device,
            "viewport_width": width, "viewport_height": height, "connection": rng.choice(["4g", "4g", "3g"]),
            "country": rng.choice(["DE", "FR", "US", "JP"]), "release": rng.choice(["2.14.0", "2.15.0"]),
            "environment": "production", "user_id": f"u{rng.randrange(60)}" if rng.random() > 0.4 else "",
            "sample_n": 1, "snippet": "0.1.0", "device_memory": 8.0, "team": "shop", "app": self.app,
            "view_started_at": started_ms + ahead_ms, "base_at": float(started_ms + ahead_ms),
            "clock_offset_ms": 40 - ahead_ms, "flags": {"new-feed": "on"}, "flag_sources": {"new-feed": "cached"},
        } | more  # fmt: skip
        ttfb = 120 * slow * rng.uniform(0.6, 1.6)
        paint = lcp * slow
        load = paint * 1.2
        spans: list[dict[str, Any]] = []
        first = [
            {
                "type": "view", "at": 0.0, "name": "", "duration_ms": load, "span_id": view["view_span_id"],
                "status_code": 200, "bytes": 18_211, "trace_source": "server-timing",
                "phases": {"dns_ms": 4.0, "connect_ms": 22.0, "tls_ms": 12.0, "request_ms": ttfb - 30, "response_ms": 18.0,
                           "dom_interactive_ms": paint * 0.6, "dom_content_loaded_ms": paint * 0.7, "load_ms": load},
            },
            self._vital("TTFB", ttfb, ttfb), self._vital("FCP", paint * 0.7, paint * 0.7),
            self._vital("LCP", paint * 0.9, paint * 0.9, target="main > img.hero", phases={
                "ttfb_ms": ttfb, "load_delay_ms": 80.0, "load_ms": paint * 0.4, "render_delay_ms": paint * 0.2}),
        ]  # fmt: skip
        self._serve(spans, view, view["view_span_id"], f"GET {route}", started_ms + 28, ttfb - 34)
        for name, size in (("/assets/app.4f2a91c0.js", 84_000), ("/assets/app.css", 12_000)):
            first.append(
                {
                    "type": "resource",
                    "at": ttfb + 20,
                    "duration_ms": 90.0 * slow,
                    "url": name,
                    "endpoint": name,
                    "initiator": "script" if name.endswith("js") else "link",
                    "bytes": size,
                    "status_code": 200,
                }
            )
        first += [
            self._fetch(spans, view, started_ms, ttfb + 120 + i * 60, rng.uniform(60, 260) * slow, "load")
            for i in range(fetches)
        ]
        second = [
            self._vital("LCP", paint, paint, target="main > img.hero", url="/images/hero.webp", phases={
                "ttfb_ms": ttfb, "load_delay_ms": 90.0, "load_ms": paint * 0.45, "render_delay_ms": paint * 0.2}),
            self._vital("INP", 3_200.0, inp * slow * rng.lognormvariate(0, 0.4), target="button.add", cause="pointer",
                        phases={"input_delay_ms": 12.0, "processing_ms": inp * 0.6, "presentation_ms": inp * 0.3}),
            self._vital("CLS", 900.0, max(0.0, rng.gauss(0.05, 0.05)), target="div.banner"),
        ]  # fmt: skip
        if route in {"/", "/collections/:id"}:
            self._feed(second, spans, view, started_ms, slow)
        if rng.random() < 0.08:
            kind, error_type, message, fingerprint = rng.choice(ERRORS)
            second.append({
                "type": "error", "at": 4_100.0, "name": kind, "error_type": error_type, "message": message,
                "stack": STACK if error_type == "TypeError" else "", "fingerprint": fingerprint, "endpoint": "",
                "breadcrumbs": json.dumps([[3_800, "click", "button.add"], [3_950, "fetch", "GET /api/price 500"]]),
                "count": rng.choice([1, 1, 1, 4]),
            })  # fmt: skip
        if rng.random() < 0.3:
            second.append({"type": "longframe", "at": 3_150.0, "name": "frame", "duration_ms": 180 * slow,
                           "value": 120 * slow, "url": "/assets/app.4f2a91c0.js", "target": "renderList",
                           "cause": "event-listener", "phases": {"script_ms": 130.0, "style_ms": 20.0}})  # fmt: skip
        second.append({"type": "action", "at": 3_200.0, "name": "click", "target": "button.add"})
        self._line(view, 0, started_ms + int(load) + 400, first)
        self._line(view, 1, started_ms + 11_000, second)
        self.traffic.lines.append({
            "line_id": hex_of(rng, 32), "received_at": started_ms + 9_000, "app": self.app, "spans": spans,
        })  # fmt: skip
        self.traffic.views.append(view)
        return view

    def refuse(self, outcome: str, n: int, app: str | None = None) -> None:
        """Refusals in the ledger, this minute."""
        minute = self.now_ms // 60_000 * 60
        self.traffic.lines.append({
            "line_id": hex_of(self.rng, 32), "received_at": self.now_ms, "app": "",
            "outcomes": [{"app": self.app if app is None else app, "minute": minute, "outcome": outcome, "n": n}],
        })  # fmt: skip

    def _line(self, view: dict[str, Any], seq: int, received_at: int, events: list[dict[str, Any]]) -> None:
        self.traffic.lines.append(
            view | {"line_id": hex_of(self.rng, 32), "received_at": received_at, "seq": seq, "events": events}
        )

    @staticmethod
    def _vital(name: str, at: float, value: float, **more: Any) -> dict[str, Any]:
        return {"type": "vital", "at": at, "name": name, "value": value} | more

    def _feed(self, events: list[Any], spans: list[Any], view: dict[str, Any], started: int, slow: float) -> None:
        """Three batches; in every fifth view the handler fires again and again until the page has grown."""
        faulty = self.rng.random() < 0.2
        for batch in range(1, 4):
            at = 2_000.0 + batch * 1_500
            for burst in range(1, self.rng.randrange(5, 14) if faulty else 2):
                begin, took = at + 30 * (burst - 1), self.rng.uniform(120, 420) * slow
                fetch = self._fetch(spans, view, started, begin + 2, took, "scroll", "/api/feed")
                events.append(fetch)
                events.append({
                    "type": "feed", "at": begin, "name": "feed", "duration_ms": took + 45, "url": "/api/feed",
                    "endpoint": "/api/feed", "span_id": fetch["span_id"], "status_code": 200, "batch": batch,
                    "burst": burst, "duplicates": burst - 1, "items": 12 if burst == 1 else 0,
                    "stall_ms": max(0.0, took - 200), "distance_px": 240, "depth_px": 900 * batch,
                    "phases": {"request_ms": took, "paint_ms": 45.0},
                })  # fmt: skip

    def _fetch(
        self, spans: list[Any], view: dict[str, Any], started: int, at: float, took: float, cause: str,
        path: str = "/api/products",
    ) -> dict[str, Any]:  # fmt: skip
        span_id, failed = hex_of(self.rng, 16), self.rng.random() < 0.01
        server = self._serve(spans, view, span_id, f"GET {path}", started + at + took * 0.15, took * 0.6)
        return {
            "type": "fetch", "at": at, "name": "GET", "url": path, "endpoint": path, "initiator": "fetch",
            "duration_ms": took, "status_code": 500 if failed else 200, "cause": cause, "bytes": 4_210,
            "span_id": span_id, "server_span_id": server, "trace_source": "header",
            "phases": {"request_ms": took * 0.8, "response_ms": took * 0.1},
        }  # fmt: skip

    def _serve(
        self, spans: list[Any], view: dict[str, Any], parent: str, name: str, start_ms: float, took: float
    ) -> str:
        """A request through the backend, by the servers' clocks: web → product → its database, and an image service."""
        web = self._span(spans, view, parent, name, "Server", "web", start_ms, took, {"http.route": name.split()[1]})
        call = self._span(spans, view, web, "GET", "Client", "web", start_ms + took * 0.1, took * 0.6, {})
        product = self._span(
            spans, view, call, "GET /products", "Server", "product", start_ms + took * 0.15, took * 0.5, {}
        )
        for i in range(7 if "collections" in name else 2):
            self._span(
                spans, view, product, "SELECT stock", "Client", "product", start_ms + took * (0.18 + 0.05 * i),
                took * 0.04, {"db.system.name": "sqlite", "db.query.text": "SELECT * FROM stock WHERE id = ?"},
            )  # fmt: skip
        if "product" in name:
            resize = self._span(spans, view, web, "GET", "Client", "web", start_ms + took * 0.72, took * 0.2, {})
            self._span(spans, view, resize, "GET /images", "Server", "image", start_ms + took * 0.75, took * 0.15, {})
        return web

    def _span(
        self, spans: list[Any], view: dict[str, Any], parent: str, name: str, kind: str, service: str,
        start_ms: float, took_ms: float, attributes: dict[str, str],
    ) -> str:  # fmt: skip
        span_id = hex_of(self.rng, 16)
        spans.append({
            "timestamp_ns": int(start_ms * 1e6), "trace_id": view["trace_id"], "span_id": span_id,
            "parent_span_id": parent, "trace_state": "", "name": name, "kind": kind, "service": service,
            "resource": {"service.name": service, "host.name": f"{service}-1"}, "scope_name": "shop",
            "scope_version": "1", "attributes": attributes, "duration_ns": max(0, int(took_ms * 1e6)),
            "status": "Unset", "status_message": "", "events": [], "links": [],
        })  # fmt: skip
        return span_id
