"""Pages hold for whatever is in the store, say what is missing, and say so when the store is away."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from collector.outcomes import Outcome
from collector.settings import DEMO, Apps
from collector.store import Store, StoreAway
from dashboards.setup import FIXES
from tests.pages.conftest import Seeded, pages_over
from tests.pages.planted import HOSTILE, poisoned


class Tags(HTMLParser):
    """What a page really consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def hostile(seeded: Seeded) -> dict[str, Any]:
    """A view in which everything a page can choose is chosen by an enemy."""
    shop = seeded.shop("hostile", seed=9)
    view = poisoned(shop)
    seeded.insert(shop.traffic, "hostile")
    return view


@pytest.mark.parametrize("page", ["/?app=hostile", "/views/{view_id}?app=hostile", "/traces/{trace_id}"])
def test_what_a_page_says_is_never_run(seeded: Seeded, hostile: dict[str, Any], page: str) -> None:
    reply = seeded.client.get(page.format(**hostile))
    assert reply.status_code == 200
    found = Tags(reply.text)
    assert [attrs["src"] for tag, attrs in found.tags if tag == "script" and attrs.get("src")] == [
        attrs.get("src") for tag, attrs in found.tags if tag == "script"
    ], "no inline script"
    assert not [tag for tag, _ in found.tags if tag in {"img", "iframe", "style", "object"}]
    for tag, attrs in found.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        assert not (attrs.get("href") or "").lower().startswith("javascript:")
    assert HOSTILE[0] in "".join(found.text), "it is shown as what it is"
    assert "49" not in [text.strip() for text in found.text]


@pytest.mark.parametrize("page", ["/", "/setup", "/views/nobody", "/traces/nobody", "/?range=never", "/overview.json"])
def test_every_reply_carries_the_headers(seeded: Seeded, page: str) -> None:
    headers = seeded.client.get(page).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_first_page_is_small(seeded: Seeded) -> None:
    """As it travels: gzip, everything the first page needs."""
    total, scripts = 0, 0
    page = seeded.client.get("/")
    for tag, attrs in Tags(page.text).tags:
        address = attrs.get("src") if tag == "script" else attrs.get("href") if tag == "link" else None
        if address:
            with seeded.client.stream("GET", address, headers={"accept-encoding": "gzip"}) as reply:
                size = sum(len(chunk) for chunk in reply.iter_raw())
            total += size
            scripts += size if tag == "script" else 0
            assert "immutable" in reply.headers["cache-control"]
    with seeded.client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as reply:
        total += sum(len(chunk) for chunk in reply.iter_raw())
    assert 1_000 < scripts <= 45_000
    assert scripts < total <= 120_000


def test_a_file_of_another_build_is_not_kept(seeded: Seeded) -> None:
    assert seeded.client.get("/static/000000000000/farside.css").headers["cache-control"] == "no-store"
    assert seeded.client.get("/static/000000000000/nothing.css").status_code == 404


def test_the_view_shows_all_its_events(seeded: Seeded) -> None:
    view = next(v for v in seeded.traffic.views if v["route"] == "/")
    data = seeded.client.get(f"/views/{view['view_id']}.json").json()
    made = [event for line, event in _events(seeded, view["view_id"])]
    assert len(data["events"]) == len(made)
    html = seeded.client.get(f"/views/{view['view_id']}").text
    for kind in ("feed", "fetch", "resource", "error"):
        ids = [event["event_id"] for event in data["events"] if event["type"] == kind]
        assert all(f'id="event-{event_id}"' in html for event_id in ids)
    latest = seeded.traffic.newest("LCP")[view["view_id"]][0]
    assert f"{latest / 1000:.2f}" in html or f"{latest:.0f}" in html


def _events(seeded: Seeded, view_id: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for line in seeded.traffic.lines:
        if line.get("view_id") == view_id:
            yield from ((line, event) for event in line["events"])


def test_an_error_links_to_the_view_that_met_it(seeded: Seeded) -> None:
    group = seeded.client.get("/overview.json").json()["errors"][0]
    html = seeded.client.get("/").text
    assert f"/views/{group['view_id']}?" in html
    assert f"#event-{group['event_id']}" in html
    assert f'id="event-{group["event_id"]}"' in seeded.client.get(f"/views/{group['view_id']}").text


def test_an_id_nobody_knows_is_explained(seeded: Seeded) -> None:
    for page in ("/views/", "/traces/"):
        reply = seeded.client.get(page + "f" * 32)
        assert reply.status_code == 404
        assert "No such" in reply.text
        assert "Look again" in reply.text
        assert seeded.client.get(page + "f" * 32 + ".json").status_code == 404


def test_windows_of_a_large_trace_hold_every_row_once(seeded: Seeded) -> None:
    trace_id, rows = "ab" * 16, 1_203
    spans = [
        {
            "timestamp_ns": (seeded.question.at - 5_000 + i) * 1_000_000, "trace_id": trace_id, "span_id": f"{i + 1:016x}",
            "parent_span_id": f"{i // 4:016x}" if i >= 4 else "", "name": f"step {i}", "kind": "Server", "service": "big",
            "duration_ns": 1_000_000, "status": "Unset", "attributes": {"nr": str(i)},
        }
        for i in range(rows)
    ]  # fmt: skip
    line = {"line_id": "cd" * 16, "received_at": seeded.question.at - 1_000, "app": "demo", "spans": spans}
    seeded.store.insert(json.dumps(line).encode() + b"\n", "large")
    seen: list[str] = []
    for first in (0, 500, 1_000):
        html = seeded.client.get(f"/traces/{trace_id}?row={first}").text
        names = [text for text in Tags(html).text if text.startswith("step ")]
        assert len(names) <= 500
        seen += names
    assert sorted(seen) == sorted(f"step {i}" for i in range(rows))


def test_an_app_without_a_view_says_what_to_do(seeded: Seeded) -> None:
    html = seeded.client.get("/?app=empty").text
    assert "No view of empty has arrived yet" in html
    assert "/setup?app=empty" in html
    assert seeded.client.get("/overview.json?app=empty").json()["routes"] == []


def test_a_filter_that_matches_nothing_offers_to_go(seeded: Seeded) -> None:
    html = seeded.client.get("/?country=XX").text
    assert "No view matches" in html
    assert "Remove the filter country" in html


def test_setup_gives_the_line_to_paste_with_this_host_and_key(seeded: Seeded) -> None:
    text = "".join(Tags(seeded.client.get("/setup?app=few").text).text)
    host = str(seeded.client.base_url).rstrip("/")
    assert f'<script src="{host}/farside.js" data-key="few-key" async></script>' in text
    assert f"script-src {host}; connect-src {host}" in text


def test_setup_turns_from_waiting_to_refused_to_received(seeded: Seeded) -> None:
    with pages_over(seeded.store, seeded.question.at - 3_600_000 * 3, Apps([DEMO])) as early:
        assert early.get("/setup.json").json()["state"] == "waiting"
        assert "waiting for the first beacon" in early.get("/setup/status").text
    refused = seeded.client.get("/setup.json?app=empty").json()
    assert refused["state"] == "refused", "somebody used a key that no app has: it may have been meant for this one"
    rows = seeded.client.get("/setup.json").json()["refusals"]
    assert {(row["outcome"], row["events"]) for row in rows} == {("origin_refused", 12), ("unknown_key", 3)}
    assert all(row["meaning"] and row["fix"] for row in rows)
    html = seeded.client.get("/setup/status").text
    newest = seeded.traffic.views[-1]["view_id"]
    assert f"/views/{newest}?" in html
    assert "origin_refused" in html


def test_every_outcome_has_a_remedy() -> None:
    assert set(FIXES) == {outcome.value for outcome in Outcome} - {"stored"}


class Away:
    """The outside world: an engine that is not there."""

    traces_table = ""

    def read(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        raise StoreAway("Connection refused")


class Slow:
    """An engine that takes its time for some questions."""

    traces_table = ""

    def __init__(self, store: Store, marked: str) -> None:
        self.store = store
        self.marked = marked

    def read(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if self.marked in sql:
            time.sleep(3)
        return self.store.read(sql, parameters)


def test_a_store_that_is_away_is_said_since_when() -> None:
    now_ms = int(time.time() * 1000)
    with pages_over(Away(), now_ms, Apps([DEMO])) as client:  # type: ignore[arg-type]
        for page in ("/", "/views/abc", "/traces/abc"):
            reply = client.get(page)
            assert reply.status_code == 503
            assert "The store does not answer" in reply.text
            assert "Connection refused" in reply.text
            assert f"Since {datetime.now(UTC):%H:}" in reply.text
        assert client.get("/setup").status_code == 503
        twin = client.get("/overview.json")
        assert twin.status_code == 503
        assert set(twin.json()["problems"]) >= {
            "vitals",
            "week",
            "series",
            "routes",
            "feeds",
            "errors",
            "views",
            "markers",
        }


def test_a_slow_question_holds_up_its_own_panel_only(seeded: Seeded) -> None:
    with pages_over(Slow(seeded.store, "-- Infinite scrolls by name"), seeded.question.at) as client:  # type: ignore[arg-type]
        client.event_hooks = {}
        html = client.get("/").text
        assert "This takes longer than 2 s." in html
        assert "Let it finish" in html
        assert "p75 · n =" in html
        assert "what costs most first" in html
        assert "Let it finish" not in client.get("/?wait=1").text


def test_a_store_that_is_slow_throughout_is_not_called_away(seeded: Seeded) -> None:
    view = seeded.traffic.views[-1]
    with pages_over(Slow(seeded.store, "SELECT"), seeded.question.at) as client:  # type: ignore[arg-type]
        client.event_hooks = {}
        reply = client.get(f"/views/{view['view_id']}")
        assert reply.status_code == 503
        assert "The store takes its time" in reply.text
        assert "Let it finish" in reply.text
        assert "No such view" not in reply.text
