"""What is measured: Farside's own built files, and the peers as their users bundle them, installed from npm.

Nothing of a peer is in the repository but its name and version (peers/package.json, with a lock) and the lines its
user writes (peers/entries).
"""

import gzip
import json
from pathlib import Path
from typing import NamedTuple

from tests.npm import bundle

PINNED = Path(__file__).parent / "peers"
BUILT = Path(__file__).parents[2] / "collector" / "snippet"
FARSIDE = ("Farside", "Farside core")

# Name in the table, its entry, the package whose version is shown.
PEERS = {
    "web-vitals": ("web-vitals", "web-vitals"),
    "web-vitals, attribution": ("web-vitals-attribution", "web-vitals"),
    "SpeedCurve LUX": ("speedcurve", "@speedcurve/lux"),
    "Elastic RUM": ("elastic", "@elastic/apm-rum"),
    "boomerang": ("boomerang", "boomerangjs"),
    "OpenTelemetry web": ("opentelemetry", "@opentelemetry/sdk-trace-web"),
    "Sentry": ("sentry", "@sentry/browser"),
    "Datadog RUM": ("datadog", "@datadog/browser-rum"),
    "Faro": ("faro", "@grafana/faro-web-sdk"),
    "PostHog": ("posthog", "posthog-js"),
    "New Relic": ("new-relic", "@newrelic/browser-agent"),
    "HyperDX": ("hyperdx", "@hyperdx/browser"),
}


class Snippet(NamedTuple):
    """A script as the page loads it; `loader` stands inline at the top of the page."""

    name: str
    version: str
    script: bytes
    loader: str = ""
    attributes: str = ""

    @property
    def gzip(self) -> int:
        return len(gzip.compress(self.script, 9)) if self.script else 0


def snippets(folder: Path, only: list[str], sink: str) -> list[Snippet]:
    """The page without any, then all that were asked for; `sink` is where each of them sends."""
    wanted = only or [*FARSIDE, *PEERS]
    unknown = set(wanted) - set(FARSIDE) - set(PEERS)
    if unknown:
        raise SystemExit(f"{', '.join(sorted(unknown))}: not known. There are {', '.join([*FARSIDE, *PEERS])}.")
    peers = [name for name in PEERS if name in wanted or name == "web-vitals"]  # the one all are compared with
    ours = [farside(name, sink) for name in FARSIDE if name in wanted]
    return [Snippet("none", "", b""), *ours, *(peer(folder, name, sink) for name in peers)]


def farside(name: str, sink: str) -> Snippet:
    file = "farside.js" if name == "Farside" else "farside.core.js"
    version = json.loads((BUILT.parents[1] / "js-snippet" / "package.json").read_text())["version"]
    loader = (BUILT / "loader.js").read_text()
    return Snippet(name, version, (BUILT / file).read_bytes(), loader, f'data-key="demo" data-url="{sink}/b"')


def peer(folder: Path, name: str, sink: str) -> Snippet:
    entry, package = PEERS[name]
    version = json.loads((folder / "node_modules" / package / "package.json").read_text())["version"]
    script = bundle(folder, PINNED / "entries" / f"{entry}.js", SINK=json.dumps(sink))
    loader = folder / "node_modules" / "@speedcurve/lux/dist/lux-snippet.es2020.js"
    return Snippet(name, version, script, loader.read_text() if entry == "speedcurve" else "")
