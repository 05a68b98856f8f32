"""The read API says what the pages say, and docs/api.yaml is what it does: schemathesis sends what it allows and forbids."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.query.question import PLAIN
from tests.conftest import ROOT, Reply, Running, a_beacon, send

DOCUMENT = ROOT / "docs" / "api.yaml"
READ, DEPLOY = "read-me", "ship-it"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    os.environ |= {"FARSIDE_API_TOKEN": READ, "FARSIDE_DEPLOY_TOKEN": DEPLOY}
    running = Running(tmp_path_factory.mktemp("api"))
    for nr in range(60):
        lcp = {"type": "vital", "name": "LCP", "at": 1_200, "value": 1_000 + 40 * nr}
        url = f"http://localhost/{'products' if nr % 3 else 'basket'}"
        assert running.post(a_beacon({"type": "view", "at": 0, "duration_ms": 900}, lcp, url=url)).status == 204
    running.settled()
    yield running
    running.kill()
    del os.environ["FARSIDE_API_TOKEN"], os.environ["FARSIDE_DEPLOY_TOKEN"]


def ask(running: Running, body: Any, token: str = READ) -> Reply:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(f"{running.url}/api/v1/ask", text, authorization=f"Bearer {token}")


def test_a_question_is_answered_as_the_page_answers_it(running: Running) -> None:
    asked = {"metric": "lcp", "aggregate": "p75", "where": {"app": "demo"}, "group_by": ["route"], "range": "1h"}
    reply = ask(running, asked)
    assert reply.status == 200, reply.body
    answer = json.loads(reply.body)
    at = answer["question"]["at"]
    address = f"/explore.json?app=demo&metric=lcp&aggregate=p75&group_by=route&range=1h&view=table&at={at}"
    page = json.loads(running.get(address).body)
    assert answer["groups"] == page["groups"]
    assert {group["route"]: group["n"] for group in answer["groups"]} == {"/products": 40, "/basket": 20}
    again = json.loads(ask(running, answer["question"]).body)
    assert again["groups"] == answer["groups"], "an answer's question may be asked again as it stands"
    sliced = json.loads(ask(running, asked | {"slices": 12}).body)
    assert sum(point["n"] for point in sliced["series"]) == 60
    one = json.loads(ask(running, {"metric": "lcp", "where": {"app": "demo", "lcp": ">2000"}}).body)
    assert one["groups"][0]["n"] == 34


def test_pages_are_there_for_programs(running: Running) -> None:
    for page in ("overview", "routes", "errors", "releases", "flags", "audit"):
        reply = running.get(f"/api/v1/{page}?app=demo&at=4102444800000", authorization=f"Bearer {READ}")
        assert reply.status == 200, page
        assert reply.headers["content-type"] == "application/json"
        twin = json.loads(running.get(f"/{page}.json?app=demo&at=4102444800000").body)
        assert set(json.loads(reply.body)) == set(twin), page


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[", b"[]", b"{" * 100_000, {"metric": "nonsense"}, {"where": {"app": "nobody"}}, {"group_by": ["nothing"]},
        {"where": {"app": "demo", "colour": "red"}}, {"colour": 1}, {"slices": 401}, {"slices": True}, {"most": -1},
        {"range": "1y"}, {"aggregate": "p76.5"}, {"where": "app"},
        {"group_by": ["route", "os", "device", "browser", "team"]},
        b" " * 70_000,
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_a_sentence(running: Running, body: Any) -> None:
    reply = ask(running, body)
    assert reply.status == 400
    assert len(json.loads(reply.body)["problem"]) > 10


def test_the_token_is_for_reading(running: Running) -> None:
    assert ask(running, {}, token="wrong").status == 401
    assert ask(running, {}, token=DEPLOY).status == 401
    reply = send(f"{running.url}/api/v1/markers", b'{"name": "x"}', authorization=f"Bearer {READ}")
    assert reply.status == 401


@pytest.mark.parametrize(
    ("token", "paths"), [(READ, "ask|vocabulary|page|errorGroup"), (DEPLOY, "postMarker|uploadSourceMap")]
)
def test_no_reply_is_outside_of_the_document(running: Running, tmp_path: Path, token: str, paths: str) -> None:
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", os.devnull, "run", str(DOCUMENT), "--url", running.url,
        "--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", "12", "--generation-deterministic",
        "--no-color", "--continue-on-failure", "-H", f"Authorization: Bearer {token}",
        "--include-operation-id-regex", f"^({paths})$", "--report-har-path", str(tmp_path / "exchanges.har"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    entries = json.loads((tmp_path / "exchanges.har").read_text())["log"]["entries"]
    statuses = {entry["response"]["status"] for entry in entries}
    assert len(entries) > 20
    assert statuses & {200, 201}
    assert "Traceback" not in running.log


def test_the_document_names_what_a_question_has() -> None:
    properties = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]["Question"]["properties"]
    assert set(properties) == {*PLAIN, "slices", "most"}
