"""Every address that changes something: closed to strangers, to viewers and to pages elsewhere; and for an editor's own
form the change is in the audit. A new one has to say in WRITES how it is asked.
"""

import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import Route

from collector.app import Collector, Front
from collector.caller import QUESTIONS
from collector.gate import is_public
from collector.settings import DEMO, Apps, Settings
from tests.conftest import Running
from tests.people.conftest import PASSWORD
from tests.people.test_serving import add_person

MAP = {"version": 3, "sources": ["a.js"], "names": [], "mappings": "AAAA"}
RULE = """\
- id: written-here
  owner: shop
  metric: lcp
  aggregate: p75
  where: {app: demo}
  every: 5m
  window: {samples: 200, min: 5m, max: 24h}
  fire: {above: 2500, confidence: 95, min_users: 10, for: 3}
  clear: {below: 2300, for: 6}
"""


class Write(NamedTuple):
    """How a write is asked: the address with its parts filled in, its form (or JSON), and what the audit calls it."""

    action: str
    form: dict[str, str] = {}  # noqa: RUF012
    json: Any = None
    query: str = ""
    before: str = ""  # another write of this table that has to come first; its subject fills {id}


WRITES = {
    "/errors/{fingerprint}/decision": Write("error resolved", {"do": "resolve", "app": "demo"}),
    "/api/v1/markers": Write("marker posted", json={"name": "2.15.0", "app": "demo"}),
    "/api/v1/sourcemaps": Write("source map uploaded", json=MAP, query="?app=demo&release=2.15.0&file=/app.js"),
    "/saved": Write("query saved", {"on": "/explore", "query": "app=demo&metric=lcp", "name": "mine"}),
    "/saved/{id}/rename": Write("query renamed", {"name": "ours"}, before="/saved"),
    "/saved/{id}/delete": Write("query deleted", before="/saved"),
    "/alerts/acknowledge": Write("alert acknowledged", {"rule": "slow", "group": "", "fired_at": "1790000000000"}),
    "/alerts/silence": Write("alert silenced", {"rule": "slow", "for": "2h", "why": "deploy"}),
    "/alerts/unsilence": Write("silence ended", {"rule": "slow", "id": "0123456789abcdef"}),
    "/rules/save": Write("rule saved", {"text": RULE}),
    "/rules/switch": Write("rule saved", {"rule": "written-here", "app": "demo"}, before="/rules/save"),
    "/rules/remove": Write("rule removed", {"rule": "written-here"}, before="/rules/save"),
}


def writing_routes(folder: Path) -> set[str]:
    """Every private address of the application that takes more than questions."""
    routes = Front(Collector(Settings(data=folder, apps=Apps([DEMO])))).starlette.routes
    return {
        route.path
        for route in routes
        if isinstance(route, Route)
        and (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        and not is_public(route.path)
        and route.path not in QUESTIONS
    }


def test_every_write_of_the_application_is_tried_here(tmp_path: Path) -> None:
    found = writing_routes(tmp_path)
    assert found == set(WRITES), f"say in WRITES of {__name__} how each is asked"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("guarded")
    add_person(folder, "anna", "editor")
    add_person(folder, "ben", "viewer")
    running = Running(folder)
    yield running
    running.kill()


def signed_in(running: Running, name: str) -> tuple[httpx.Client, str]:
    """A browser in which somebody is signed in, and the token of their forms."""
    client = httpx.Client(base_url=running.url, timeout=30)
    token = form_token(client.get("/sign-in").text)
    assert client.post("/sign-in", data={"name": name, "password": PASSWORD, "csrf": token}).status_code == 303
    return client, form_token(client.get("/audit?wait=1").text)


def form_token(html: str) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', html)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def anna(guarded: Running) -> Iterator[tuple[httpx.Client, str]]:
    client, token = signed_in(guarded, "anna")
    yield client, token
    client.close()


@pytest.fixture(scope="module")
def ben(guarded: Running) -> Iterator[tuple[httpx.Client, str]]:
    client, token = signed_in(guarded, "ben")
    yield client, token
    client.close()


def ask(client: httpx.Client, path: str, write: Write, id_: str, token: str = "") -> int:
    address = path.replace("{fingerprint}", "ab" * 8).replace("{id}", id_) + write.query
    if write.json is None:
        body = urllib.parse.urlencode(write.form | ({"csrf": token} if token else {}))
        return client.post(
            address, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
        ).status_code
    return client.post(address, json=write.json, headers={"x-farside-form": token} if token else {}).status_code


def written(running: Running) -> list[dict[str, Any]]:
    return running.rows("SELECT who, action, subject FROM audit WHERE came_by = 'password' ORDER BY at")


@pytest.mark.parametrize("path", WRITES)
def test_a_write_is_for_editors_by_their_own_forms_and_audited(
    guarded: Running, anna: tuple[httpx.Client, str], ben: tuple[httpx.Client, str], path: str
) -> None:
    write, id_ = WRITES[path], "0123456789abcdef"
    if write.before:
        assert ask(anna[0], write.before, WRITES[write.before], "", anna[1]) < 400
        id_ = written(guarded)[-1]["subject"]
    before = written(guarded)
    with httpx.Client(base_url=guarded.url) as stranger:
        assert ask(stranger, path, write, id_) == 401
        assert ask(stranger, path, write, id_, anna[1]) == 401
    assert ask(ben[0], path, write, id_, ben[1]) == 403
    assert ask(anna[0], path, write, id_) in {401, 403}, "CI's addresses ask for a token, the others for a form"
    assert ask(anna[0], path, write, id_, ben[1]) == 403
    assert written(guarded) == before, "nothing was changed so far"
    assert ask(anna[0], path, write, id_, anna[1]) < 400
    (row,) = written(guarded)[len(before) :]
    assert (row["who"], row["action"]) == ("anna", write.action)


def test_the_page_shows_who_did_it(guarded: Running, anna: tuple[httpx.Client, str]) -> None:
    assert ask(anna[0], "/api/v1/markers", WRITES["/api/v1/markers"], "", anna[1]) == 201
    html = anna[0].get("/audit?who=anna&action=marker+posted&wait=1").text
    assert "<b>anna</b>" in html
    assert "2.15.0" in html
    rows = json.loads(anna[0].get("/audit.json?who=ben&wait=1").text)["changes"]
    assert rows == []
    text = anna[0].get("/audit.csv?table=changes&wait=1").text
    assert text.startswith("at,who,came_by,action")
