"""What counts as captured: patterns over everything that reached the sink, decoded; the same for all unless a format
needs its own.

The page plants words that nothing else contains (`sig-throw`), so most patterns are those words. A vital counts when it
is named; a route change when the format says that there was one, not when its address appears somewhere.
"""

import base64
import binascii
import json
import re
import urllib.parse

from bench.snippet.page import TRACE, Request

SIGNALS = {
    "LCP": r"lcp|largest.?contentful",
    "INP": r"\binp\b|inp_value|interaction.?to.?next",
    "CLS": r"\bcls\b|cumulative.?layout|layout.?shift",
    "FCP": r"fcp|first.?contentful",
    "TTFB": r"ttfb|first.?byte|responsestart",
    "error thrown": r"sig-throw",
    "error before the snippet ran": r"sig-early",
    "error 25 ms before the end": r"sig-last",
    "unhandled rejection": r"sig-reject",
    "policy violation": r"securitypolicyviolation|effective.?directive|violated.?directive|img-src",
    "route change": r"route.?change|spa_nav",
    "scrolled batch 3": r"products(\?|%3F)page(=|%3D)3\b",
    "fetch after the route change": r"products(\?|%3F)page(=|%3D)90\b",
    "XHR": r"basket(\?|%3F)by",
    "fetch answered 500": r"api/broken",
    "picture": r"small\.png",
    "long task or frame": r"long.?task|\bloaf\b|long.?animation",
    "server timing": r"sig-db",
    "trace of the page": TRACE,
    "user timing": r"sig-mark|sig-measure",
    "element timing": r"sig-element",
    "click": r"sig-nothing|does nothing",
    "rage clicks": r"rage.?click",
}
LEAK = r"sig-secret|sig-private"

# Formats that name these things in their own way.
SAYS = {
    "Farside": {
        "route change": r'"navigation":"soft"',
        "scrolled batch 3": r'"batch":3\b',
        "fetch after the route change": r'"navigation":"soft"[^\n]*/api/products',
        "XHR": r'"initiator":"xhr"',
        "long task or frame": r'"longframe"',
        "server timing": r"sig-db",
        "rage clicks": r'"rage"|rage_click',
    },
    "SpeedCurve LUX": {"rage clicks": r'"rage":\{'},
    "Elastic RUM": {"route change": r'"type":"route-change"'},
    "boomerang": {
        "route change": r"http\.initiator=spa\b(?!_hard)",
        "CLS": r"c\.cls=",
        "TTFB": r"nt_res_st=",
        "INP": r"et\.inp=",
        "user timing": r"usertiming=[^\n&]*sig",
    },
    "OpenTelemetry web": {"route change": r'"name":"Navigation:', "INP": r"(?!)"},
    "Sentry": {"route change": r'"sentry\.op":(\{[^}]*)?"?navigation"|"op":"navigation"'},
    "Datadog RUM": {"route change": r'"loading_type":"route_change"', "rage clicks": r'"rage_click"'},
    "Faro": {"route change": r'"(view_changed|route_change|faro\.navigation\.[^"]*)"'},
    "PostHog": {"route change": r'"navigation_type":"pushState"', "rage clicks": r"\$rageclick"},
    "New Relic": {
        "scrolled batch 3": r"api/products",
        "fetch after the route change": r"api/products",
        "XHR": r"api/basket",
        "route change": r"bel\.\d+;1,[^;]*;?[^\n]*sig-second",
        "rage clicks": r"rageClick",
    },
    "HyperDX": {"route change": r'"name":"routeChange"', "INP": r"webvitals[^\n]*\binp\b"},
}
SAYS["Farside core"] = SAYS["Farside"]


def captured(name: str, requests: list[Request]) -> set[str]:
    """The signals that stand in what one snippet sent."""
    said = text_of(requests)
    patterns = SIGNALS | SAYS.get(name, {})
    return {signal for signal, pattern in patterns.items() if re.search(pattern, said, re.IGNORECASE)}


def leaks(requests: list[Request]) -> bool:
    """Did a query parameter's value leave?"""
    return re.search(LEAK, text_of(requests), re.IGNORECASE) is not None


def text_of(requests: list[Request]) -> str:
    """Everything sent, as plain as it can be made: addresses and forms unescaped, base64 in forms opened."""
    lines = []
    for request in requests:
        for text in (request.url, request.text):
            plain = urllib.parse.unquote_plus(text)
            lines += [text, plain, *opened(plain)]
    return "\n".join(lines)


def opened(text: str) -> list[str]:
    """What a form field `data=` holds as base64."""
    found = []
    for packed in re.findall(r"data=([A-Za-z0-9+/=]{40,})", text):
        try:
            found.append(base64.b64decode(packed, validate=True).decode(errors="replace"))
        except binascii.Error:
            continue
    return found


def feed_labels(requests: list[Request], batches: int) -> tuple[int, int]:
    """Batches of the scrolled list that were labelled whole (number, trigger, response, painted), and false labels.

    Read from Farside's beacons; no other format has a word for it.
    """
    events = {}
    for request in requests:
        if request.url.partition("?")[0] == "/b" and request.text.startswith("{"):
            for event in json.loads(request.text)["events"]:
                if event["type"] == "feed":
                    events[event.get("span_id", event["at"])] = event
    whole = {
        event["batch"]
        for event in events.values()
        if "distance_px" in event and {"request_ms", "paint_ms"} <= event.get("phases", {}).keys()
    } & set(range(1, batches + 1))
    return len(whole), len(events) - len(whole)
