"""Errors of three builds of one app, through a real collector: one group each, mapped, resolved, come back."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builds import CART, Build, three_builds
from tests.conftest import ROOT, Running, a_beacon, send
from tests.people.visitor import Visitor

RELEASES = ("1.0", "1.1", "1.2")
TOKEN = "ship-it"


def post_error(running: Running, release: str, error: dict[str, Any], **more: Any) -> dict[str, Any]:
    event = {
        "type": "error", "at": 900, "name": "error", "error_type": error["type"], "message": error["message"],
        "stack": error["stack"], "breadcrumbs": json.dumps([[300, "click", "button.add"], [450, "fetch", "GET /api/cart"]]),
    }  # fmt: skip
    beacon = a_beacon({"type": "view", "at": 0, "duration_ms": 700}, event, release=release, **more)
    assert running.post(beacon).status == 204
    return beacon


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[Build]:
    return three_builds(tmp_path_factory.mktemp("builds"))


@pytest.fixture(scope="module")
def running(builds: list[Build], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    os.environ["FARSIDE_DEPLOY_TOKEN"] = TOKEN
    running = Running(tmp_path_factory.mktemp("errors"))
    for release, build in zip(RELEASES, builds, strict=True):
        for error in build.errors:
            post_error(running, release, error)
        running.settled()
    yield running
    running.kill()
    del os.environ["FARSIDE_DEPLOY_TOKEN"]


def command(running: Running, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FARSIDE_DEPLOY_TOKEN": token}
    asked = [sys.executable, "-m", "collector", *arguments, "--to", running.url]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False, env=environment)


def as_json(running: Running, path: str) -> dict[str, Any]:
    reply = running.get(f"{path}{'&' if '?' in path else '?'}wait=1")
    assert reply.status == 200, reply.body
    return dict(json.loads(reply.body))


def fingerprint_of(running: Running, message: str, release: str = "1.0") -> str:
    sql = (
        "SELECT any(fingerprint) FROM events WHERE type = 'error' AND release = {r:String}"
        " AND position(message, {m:String}) > 0"
    )
    return str(running.value(sql, r=release, m=message))


def test_each_error_of_three_builds_is_one_group(running: Running, builds: list[Build]) -> None:
    groups = as_json(running, "/errors.json")["groups"]
    assert sum(group["times"] for group in groups) == sum(len(build.errors) for build in builds)
    in_all = [group for group in groups if group["times"] >= 3]
    assert sum(group["times"] for group in in_all) >= 0.95 * 3 * len(builds[0].errors)
    assert {group["introduced_by"] for group in in_all} == {"1.0"}
    page = as_json(running, f"/errors/{in_all[0]['fingerprint']}.json")
    assert [row["release"] for row in page["releases"]] == list(RELEASES)


def test_frames_name_the_line_somebody_wrote(running: Running, builds: list[Build]) -> None:
    minified = builds[1]
    done = command(
        running, "sourcemaps", "upload", str(minified.folder / "dist"), "--release", "1.1", "--url-prefix", "/assets"
    )
    assert done.returncode == 0, done.stderr
    assert f"/assets/{minified.script.name} of demo 1.1" in done.stdout
    written = {
        "(reading 'price')": "amount += entry.product.price",
        "(reading 'toFixed')": None,
        "(reading 'percent')": "return amount - discount.percent",
        "(reading 'toUpperCase')": "JSON.parse(text).code.toUpperCase()",
        "no item": "throw new RangeError",
    }
    for message, text in written.items():
        if text is None:
            continue
        fingerprint = fingerprint_of(running, message, "1.1")
        page = as_json(running, f"/errors/{fingerprint}.json?release=1.1")
        placed = [frame for frame in page["frames"] if frame["source_line"]]
        top = placed[0]
        assert top["source"].endswith("src/cart.js"), top
        assert text in CART.splitlines()[top["source_line"] - 1], (message, top)
    html = running.get(
        f"/errors/{fingerprint_of(running, '(reading ' + chr(39) + 'percent', '1.1')}?release=1.1&wait=1"
    ).body.decode()
    assert "return amount - discount.percent;" in html, "with the lines around it"
    # Release 1.2 has none: the page says so, and how to bring it.
    other = running.get(f"/errors/{fingerprint_of(running, 'percent', '1.2')}?release=1.2&wait=1").body.decode()
    assert "No source map of release 1.2" in other
    assert "farside sourcemaps upload" in other


def test_resolved_errors_stay_so_until_a_later_release_meets_them(running: Running, builds: list[Build]) -> None:
    fingerprint = fingerprint_of(running, "percent")
    error = next(error for error in builds[2].errors if "percent" in error["message"])
    visitor = Visitor(running.url)
    page = f"/errors/{fingerprint}"
    assert "introduced by release <b>1.0</b>" in visitor.get(f"{page}?wait=1")
    form = {"do": "resolve", "app": "demo", "next": f"{page}?wait=1"}
    assert visitor.post(f"{page}/decision", f"{page}?wait=1", **form) == 200

    def state() -> dict[str, Any]:
        running.settled()
        return as_json(running, f"{page}.json")

    assert state()["state"] == "resolved"
    assert fingerprint not in {group["fingerprint"] for group in as_json(running, "/errors.json")["groups"]}
    post_error(running, "1.2", error)
    assert state()["state"] == "resolved", "a tab that still runs an old release is no regression"
    post_error(running, "1.3", error, user_id="u7")
    after = state()
    assert (after["state"], after["regressed_in"]) == ("regressed", "1.3")
    html = visitor.get("/errors?wait=1")
    assert "came back in 1.3" in html
    visitor.post(f"{page}/decision", f"{page}?wait=1", do="assign", team="payments", app="demo", next=page)
    assert state()["owner"] == "payments"
    assert state()["state"] == "regressed", "assigning is not deciding again"
    visitor.post(f"{page}/decision", f"{page}?wait=1", **(form | {"do": "ignore", "for": "week"}))
    assert state()["state"] == "ignored"
    changes = as_json(running, f"/audit.json?subject={fingerprint}")["changes"]
    assert {row["action"] for row in changes} == {"error resolved", "error assigned", "error ignored"}
    assert [row["after"] for row in changes if row["field"] == "team"] == ["payments"]
    assert all(row["who"] == "somebody at this machine" for row in changes)


def test_what_came_before_and_the_trace_are_one_click_away(running: Running) -> None:
    fingerprint = fingerprint_of(running, "percent")
    html = running.get(f"/errors/{fingerprint}?wait=1").body.decode()
    assert "button.add" in html
    assert re.search(r'href="/views/[0-9a-f]{32}[^"]*#event-', html)
    assert re.search(r'href="/traces/[0-9a-f]{32}', html)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b"[" * 3_000_000),
        (422, b'{"version":3,"sections":' + b'[{"map":{"sections":' * 100_000),
        (422, b'{"version":3,"sources":["a"],"names":[],"mappings":"' + b"A," * 15_000_000 + b'"}'),
        (422, b'{"version":3,"sources":["a"],"names":[],"mappings":"AAAA,DDDDDDDDDDDDDDDDDDDDDDD//////D"}'),
        (422, b'{"version":3,"sources":["a"],"names":[],"mappings":"AAAA'),
        (422, b'{"version":3,"sources":[],"names":[],"mappings":""}'),
        (422, b'{"version":3,"sources":["\xff\xfe"],"names":[],"mappings":"AAAA"}'),
        (422, b""),
        (413, b" " * (49 << 20)),
    ],
    ids=[
        "deep",
        "deep sections",
        "a mapping per byte",
        "overflow",
        "cut off",
        "maps nothing",
        "no text",
        "empty",
        "huge",
    ],
)
def test_a_hostile_map_is_refused_while_beacons_are_acknowledged(running: Running, status: int, body: bytes) -> None:
    answers, stop = [], threading.Event()

    def knock() -> None:
        while not stop.is_set():
            answers.append(running.post(a_beacon()).status)
            time.sleep(0.01)

    knocking = threading.Thread(target=knock)
    knocking.start()
    address = f"{running.url}/api/v1/sourcemaps?release=9&file=/app.js"
    try:
        reply = send(address, body, authorization=f"Bearer {TOKEN}")
    finally:
        stop.set()
        knocking.join()
    assert reply.status == status, reply.body[:300]
    assert answers
    assert set(answers) == {204}
    assert running.value("SELECT count() FROM source_maps WHERE release = '9'") == 0


def test_markers_stand_on_the_charts(running: Running) -> None:
    done = command(running, "marker", "2.15.0 to 10 %", "--link", "https://ci.example/9")
    assert done.returncode == 0, done.stderr
    running.settled()
    assert "2.15.0 to 10 %" in running.get("/errors/" + fingerprint_of(running, "percent") + "?wait=1").body.decode()
    assert command(running, "marker", "x", token="").returncode == 2
    assert "deploy_token" in command(running, "marker", "x", token="").stderr
    assert command(running, "marker", "x", "--app", "nobody").returncode == 2
    bad = (
        {"name": ""},
        {"name": "x", "at": "yesterday"},
        {"name": "x", "color": "red"},
        {"name": "x", "at": "9999-01-01"},
    )
    for body in bad:
        reply = send(f"{running.url}/api/v1/markers", json.dumps(body).encode(), authorization=f"Bearer {TOKEN}")
        assert reply.status == 400, body


def test_writes_without_the_token_of_a_form_are_refused(running: Running) -> None:
    body = b"do=resolve&app=demo"
    form = {"content_type": "application/x-www-form-urlencoded"}
    reply = send(f"{running.url}/errors/{'0' * 16}/decision", body, **form)
    assert reply.status == 403
    assert running.value("SELECT count() FROM error_states WHERE fingerprint = {f:String}", f="0" * 16) == 0
