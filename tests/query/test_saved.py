"""Saved questions: kept as the query object, listed, renamed and let go, each change behind the gate and in the audit."""

import json
import re
from datetime import UTC, datetime
from html import escape, unescape
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest

from collector.query.saved import Saved, keep, saved_queries
from tests.conftest import Running, send
from tests.people.visitor import Visitor
from tests.query.conftest import Filled


@pytest.fixture(scope="module")
def visitor(shared_collector: Running) -> Visitor:
    return Visitor(shared_collector.url)


def refused(visitor: Visitor, path: str, page: str, **form: str) -> tuple[int, str]:
    """What becomes of a form that is not taken: the status, and the sentence of the page that keeps what was filled in."""
    with pytest.raises(HTTPError) as answer:
        visitor.post(path, page, **form)
    with answer.value as reply:
        html = reply.read().decode()
    for name, value in form.items():
        assert escape(value, quote=True).replace("&#x27;", "&#39;") in html, f"{name} is kept"
    return answer.value.code, unescape(re.search(r'role="alert">([^<]*)', html)[1])  # type: ignore[index]


def saved(running: Running) -> list[dict[str, Any]]:
    found = json.loads(running.get("/saved.json?wait=1").body)["saved"]
    assert isinstance(found, list)
    return found


ASKED = "app=demo&range=24h&browser=Chrome&browser=%21Edge&metric=inp&aggregate=p90&group_by=attr.plan&at=1"


def test_a_question_is_kept_listed_renamed_and_let_go(shared_collector: Running, visitor: Visitor) -> None:
    page = "/explore?wait=1&app=demo"
    html = visitor.get("/explore?wait=1&app=demo&metric=lcp&route=/a&group_by=browser")
    query = unescape(re.search(r'name="query" value="([^"]*)"', html)[1])  # type: ignore[index]
    assert visitor.post("/saved", page, name="  Slow  phones ", on="/explore", query=query) == 200
    assert visitor.post("/saved", page, name="INP by plan", on="/compare", query=ASKED) == 200
    first, second = sorted(saved(shared_collector), key=lambda row: str(row["name"]), reverse=True)
    assert (first["name"], first["path"], first["app"]) == ("Slow phones", "/explore", "demo")
    assert first["question"]["where"] == {"app": "demo", "route": "/a"}
    assert second["question"] == {
        "metric": "inp", "aggregate": "p90", "where": {"app": "demo", "browser": ["!Edge", "Chrome"]},
        "group_by": ["attr.plan"], "range": "24h",
    }  # fmt: skip
    listed = visitor.get("/saved?wait=1")
    link = unescape(re.search(r'href="([^"]*)">Slow phones</a>', listed)[1])  # type: ignore[index]
    assert link.startswith("/explore?app=demo&range=1h&route=%2Fa&metric=lcp")
    assert "at=" not in link, "it is asked of now"

    assert visitor.post(f"/saved/{first['id']}/rename", page, name="Slow telephones") == 200
    assert [row["name"] for row in saved(shared_collector)] == ["INP by plan", "Slow telephones"]
    assert visitor.post(f"/saved/{first['id']}/delete", page) == 200
    assert [row["id"] for row in saved(shared_collector)] == [second["id"]]
    assert refused(visitor, f"/saved/{first['id']}/rename", page, name="again")[0] == 404

    changes = json.loads(shared_collector.get(f"/audit.json?subject={first['id']}&wait=1").body)["changes"]
    assert {row["action"] for row in changes} == {"query saved", "query renamed", "query deleted"}
    rows = shared_collector.rows("SELECT count() AS n FROM saved_queries WHERE id = {id:String}", id=first["id"])
    assert rows == [{"n": 3}], "nothing is altered, only added"


def test_what_cannot_be_kept_is_said(visitor: Visitor) -> None:
    page = "/explore?wait=1&app=demo"
    for bad, word in (
        ({"name": "", "on": "/explore", "query": ASKED}, "120"),
        ({"name": "x" * 121, "on": "/explore", "query": ASKED}, "121"),
        ({"name": "x", "on": "https://evil.example/", "query": ASKED}, "evil"),
        ({"name": "x", "on": "/explore", "query": "app=nobody"}, "nobody"),
        ({"name": "x", "on": "/explore", "query": "metric=speed"}, "speed"),
    ):
        status, problem = refused(visitor, "/saved", page, **bad)
        assert status == 400
        assert word in problem


def test_nothing_is_kept_for_a_form_of_somebody_else(shared_collector: Running) -> None:
    before = len(saved(shared_collector))
    body = f"name=evil&on=/explore&query={ASKED}".encode()
    form = {"content_type": "application/x-www-form-urlencoded"}
    for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}, {}):
        reply = send(f"{shared_collector.url}/saved", body, "POST", **(form | headers))
        assert reply.status == 403
    assert len(saved(shared_collector)) == before


def test_a_question_that_cannot_be_asked_any_more_is_still_listed(filled: Filled, pages: httpx.Client) -> None:
    now = datetime.now(UTC)
    for nr, plain in enumerate(({"where": {"colour": "red"}}, {"where": {"app": "gone"}}, {"metric": "lcp"})):
        keep(filled.store, Saved(f"id{nr}", now, now, "ann", "demo", f"question {nr}", "/explore", plain))
    assert [one.name for one in saved_queries(filled.store)] == ["question 0", "question 1", "question 2"]
    html = pages.get("/saved").text
    assert html.count("cannot be asked any more") == 2
    assert "colour" in html
    assert "gone" in html
    assert "<button>Rename" not in html, "behind no gate nobody may change anything"
