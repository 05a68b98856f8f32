"""Clocks apart: a real browser and instrumented backends, each on its own clock, and whether Farside puts them together.

Backends run under Debian's faketime, up to two minutes wrong; the browser's clock is shifted in the page. A tenth of the
backends' spans comes up to a minute late, a twentieth never. Prints JSON: the share of requests that were joined, the misses
with another reason than the true one, the sessions whose true offset lies in the stated interval, and the server spans that
are drawn outside of their request by more than the stated error though they were within.

Usage: python -m bench.clocks [--sessions 60] [--seed 1] [--late-s 60]
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.post import Post
from collector.query.joins import LATE, STALE
from collector.query.question import sql
from collector.query.trace import Pair
from collector.traces.clock import ROUNDING_MS, offsets
from tests.conftest import CHROME_ARGUMENTS, Running, find_browser, wait_until
from tests.traces.backends import backend, faked

FARTHEST_S = 120
FETCHES = 10
SHIFT = """(ms) => {
  const Real = Date, now = Real.now.bind(Real), origin = performance.timeOrigin;
  Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(now() + ms); }
    static now() { return now() + ms; }
  };
  Object.defineProperty(performance, 'timeOrigin', { value: origin + ms });
}"""
VISIT = """async (plan) => {
  for (const burst of plan) {
    await Promise.all(burst.map((work, nr) => fetch(`/api/item${nr}?work=${work}`).then((reply) => reply.text())));
  }
  await fetch('/api/foreign', { headers: { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` } });
  await (await fetch('/kept')).text();
  await (await fetch('/kept')).text();
}"""


@dataclass
class Bed:
    """What the measurement is made with."""

    collector: Running
    browser: Browser
    folder: Path
    seed: int = 1
    late_s: float = 2.0


@dataclass
class Found:
    """What came out."""

    sessions: int = 0
    fetches: int = 0
    joined: int = 0
    thrown_away: int = 0
    delayed: int = 0
    joined_of_due: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    wrong_reasons: list[str] = field(default_factory=list)
    offsets: int = 0
    offsets_inside: int = 0
    worst_miss_ms: float = 0.0
    median_error_ms: float = 0.0
    spans: int = 0
    closed_late: int = 0
    outside_their_request: list[str] = field(default_factory=list)
    steps_seen: int = 0


def measure(bed: Bed, sessions: int) -> Found:
    """Visit, wait for what is late, and compare with what is known to be true."""
    rng, found = random.Random(bed.seed), Found(sessions=sessions)
    post = Post(f"{bed.collector.url}/v1/traces", random.Random(bed.seed + 1), late_s=bed.late_s)
    truth: dict[str, float] = {}
    with ExitStack() as stack:
        sites = []
        for framework in ("fastapi", "express"):
            ahead_s = round(rng.uniform(-FARTHEST_S, FARTHEST_S), 3)
            clock = faked(ahead_s)
            url = stack.enter_context(
                backend(framework, bed.collector.url, bed.folder, clock=clock, spans_to=post.address)
            )
            sites.append((url, ahead_s * 1000 if clock else 0.0))
        for nr in range(sessions):
            url, ahead_ms = sites[nr % len(sites)]
            browser_ms = rng.uniform(-FARTHEST_S, FARTHEST_S) * 1000
            truth[_visit(bed, url, browser_ms, rng)] = ahead_ms - browser_ms
        time.sleep(1.5)  # until the SDKs have handed on what they had
    post.close()
    bed.collector.settled()
    _judge_joins(bed.collector, list(truth), post, found)
    errors = [error for session, true in truth.items() for error in _judge_clock(bed.collector, session, true, found)]
    found.median_error_ms = sorted(errors)[len(errors) // 2] if errors else 0.0
    return found


def _visit(bed: Bed, url: str, browser_ms: float, rng: random.Random) -> str:
    """One session; returns its id."""
    context = bed.browser.new_context()
    context.add_init_script(f"({SHIFT})({browser_ms!r})")
    page = context.new_page()
    page.goto(f"{url}/")
    plan = [[rng.choice([0, 2, 10, 40]) for _ in range(rng.randrange(1, 4))] for _ in range(FETCHES // 2)]
    page.evaluate(VISIT, plan)
    asked = 1 + sum(map(len, plan)) + 3
    session = wait_until(lambda: page.evaluate("JSON.parse(localStorage.farside || '{}').s"))
    count = f"SELECT count() FROM events WHERE session_id = '{session}' AND type = 'fetch'"
    page.evaluate("farside.mark('over')")
    wait_until(lambda: bed.collector.value(count) >= asked, timeout_s=30)
    context.close()
    return str(session)


def _judge_joins(collector: Running, sessions: list[str], post: Post, found: Found) -> None:
    """Every request's end against what is known of it."""
    until = int(time.time() * 1000) + 3_600_000  # nothing is late any more
    chosen = "session_id IN {sessions:Array(String)}"
    hops = sql("hops").replace("/* scope */", chosen).replace("event_id, view_id,", "event_id, view_id, trace_id,")
    rows = collector.rows(
        # As in joined.sql: what others of its kind found was lost, and not dark.
        f"SELECT * REPLACE (if(reason = 'dark' AND max(is_joined) OVER (PARTITION BY host, endpoint, type), 'lost', reason)"
        f" AS reason) FROM ({hops})",
        sessions=sessions, until_ms=until, spans_since_ms=0, late_ms=LATE.seconds * 1000, stale_ms=STALE.seconds * 1000,
    )  # fmt: skip
    reasons: Counter[str] = Counter()
    for row in rows:
        if row["type"] != "fetch":
            continue
        is_gone = f"{row['trace_id']} {row['span_id']}" in post.thrown_away
        expected = {"foreign": "foreign", "cached": "cached"}.get(row["source"], "lost" if is_gone else "")
        found.fetches += expected in {"", "lost"}
        found.thrown_away += expected == "lost"
        found.joined += bool(row["is_joined"])
        reasons[row["reason"] or "joined"] += 1
        if row["reason"] != expected:
            found.wrong_reasons.append(f"{row['url']}: {row['reason'] or 'joined'}, truly {expected or 'joined'}")
    found.reasons, found.delayed = dict(reasons), post.delayed
    found.joined_of_due = found.joined / max(1, found.fetches - found.thrown_away)


def _judge_clock(collector: Running, session: str, true_ms: float, found: Found) -> Iterator[float]:
    """A session's offsets against the true one, and its server spans against their requests."""
    until = int(time.time() * 1000) + 3_600_000
    traces = [row["trace_id"] for row in collector.rows(
        f"SELECT DISTINCT trace_id FROM events WHERE session_id = '{session}' AND trace_source != 'foreign'")]  # fmt: skip
    rows: list[dict[str, Any]] = collector.rows(sql("trace_pairs"), traces=traces, until_ms=until, limit=1_000)
    pairs = [Pair(**row | {"is_load": bool(row["is_load"]), "is_cut": bool(row["is_cut"])}) for row in rows]
    for host, offset in offsets(pairs).items():
        found.offsets += 1
        found.steps_seen += offset.steps
        found.offsets_inside += offset.low <= true_ms <= offset.high
        found.worst_miss_ms = max(found.worst_miss_ms, offset.low - true_ms, true_ms - offset.high)
        yield offset.error_ms
        shift = -offset.browser_ahead_ms * 1e6
        for pair in pairs:
            found.spans += 1
            before = pair.client_start_ns - (pair.server_start_ns - shift)
            after = (pair.server_end_ns - shift) - pair.client_end_ns
            # A span that truly was closed after its answer was there is shown so, not bent.
            truly_after = max(0.0, pair.server_end_ns - true_ms * 1e6 - pair.client_end_ns)
            out_ms = max(before, after - truly_after) / 1e6
            found.closed_late += pair.host == host and truly_after > ROUNDING_MS * 1e6
            if pair.host == host and not pair.is_cut and out_ms > offset.error_ms + ROUNDING_MS:
                kind = f"{'load' if pair.is_load else 'fetch'} {'begins' if before > after else 'ends'}"
                found.outside_their_request.append(f"{host} {kind}: {out_ms:.1f} ms, ± {offset.error_ms:.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--late-s", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        collector = Running(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_browser() or None, args=CHROME_ARGUMENTS)
        found = measure(Bed(collector, browser, Path(folder), asked.seed, asked.late_s), asked.sessions)
        browser.close()
        collector.kill()
    print(json.dumps(asdict(found), indent=1))


if __name__ == "__main__":
    main()
