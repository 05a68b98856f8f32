"""The gate: each threat that docs/security.md names, tried."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.caller import NOBODY
from collector.gate import local, require_sign_in
from collector.people import HASHER, People
from collector.settings import BadSettings, load
from tests.people.conftest import ELSEWHERE, PASSWORD, Guarded, sign_in

Guard = Callable[..., Guarded]


def run(story: Any) -> Any:
    return asyncio.run(story)


# Who comes in.


def test_nobody_set_up_a_sign_in_then_only_this_machine_comes_in(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded()
        here, elsewhere = gate.client("::1"), gate.client(ELSEWHERE)
        assert (await here.get("/page")).json()["who"] == "somebody at this machine"
        assert (await elsewhere.get("/page")).status_code == 403
        # A proxy on this machine makes the whole world look like it.
        assert (await here.get("/page", headers={"x-forwarded-for": ELSEWHERE})).status_code == 403
        assert (await here.get("/page", headers={"forwarded": f"for={ELSEWHERE}"})).status_code == 403

    run(story())


def test_with_people_even_this_machine_signs_in(guarded: Guard) -> None:
    async def story() -> None:
        client = guarded("viewer").client("127.0.0.1")
        reply = await client.get("/page?a=1&b=2")
        assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in?next=/page%3Fa%3D1%26b%3D2")
        assert (await client.get("/page.json")).status_code == 401
        assert (await client.get("/api/v1/errors")).status_code == 401
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200

    run(story())


def test_a_name_that_is_not_ours_is_not_answered(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded(hosts="rum.example, farside.internal")
        for host in ("localhost", "127.0.0.1:8317", "[::1]:8317", "shop.localhost", "rum.example", "RUM.example:443"):
            assert (await gate.client().get("/page", headers={"host": host})).status_code == 200, host
        for host in (
            "evil.example",
            "rum.example.evil.example",
            "localhost.evil.example",
            "",
            "127.0.0.1.evil.example",
        ):
            assert (await gate.client().get("/page", headers={"host": host})).status_code == 421, host
        # The doors are for everybody under any name.
        assert (await gate.client().get("/healthz", headers={"host": "anything"})).status_code == 200

    run(story())


# Passwords and sessions.


def test_a_password_signs_in_and_the_cookie_is_a_sane_one(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded("editor", trusted_hops=1)
        client = gate.client(ELSEWHERE)
        reply = await sign_in(client, "editor", next="/page?x=1")
        assert (reply.status_code, reply.headers["location"]) == (303, "/page?x=1")
        cookie = next(c for c in reply.headers.get_list("set-cookie") if c.startswith("farside="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=86400" in cookie
        assert "Secure" not in cookie, "this was plain http"
        assert (await client.get("/page")).json()["who"] == "editor"
        # Over https it is Secure, under a name that no neighbour of the domain can set.
        https = {"x-forwarded-proto": "https", "x-forwarded-for": ELSEWHERE}
        other = gate.client("127.0.0.1", "https://localhost")
        page = await other.get("/sign-in", headers=https)
        data = {"name": "editor", "password": PASSWORD, "csrf": page.text.split()[1]}
        reply = await other.post("/sign-in", headers=https, data=data)
        cookie = next(c for c in reply.headers.get_list("set-cookie") if "farside=" in c)
        assert cookie.startswith("__Host-farside=")
        assert "Secure" in cookie
        assert "Path=/" in cookie

    run(story())


def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded("editor")
        client = gate.client(ELSEWHERE)
        planted = (await gate.signed_in("editor")).cookies["farside"]
        client.cookies.set("farside", planted)
        await sign_in(client, "editor")
        fresh = next(c.value for c in client.cookies.jar if c.name == "farside" and c.value != planted)
        assert fresh
        stranger = gate.client(ELSEWHERE)
        stranger.cookies.set("farside", planted)
        assert (await stranger.get("/page.json")).status_code == 401, "what was there before ended"

    run(story())


def test_sessions_end(guarded: Guard, tmp_path: Path) -> None:
    async def story() -> None:
        gate = guarded("editor", "viewer", "editor2")
        client, cookie = await gate.signed_in("editor"), ""
        cookie = client.cookies["farside"]
        # Signing out: a copy of the cookie is worth nothing.
        token = (await client.get("/page")).json()["token"]
        assert (await client.post("/sign-out", data={"csrf": "wrong"})).status_code == 403
        assert (await client.post("/sign-out", data={"csrf": token})).status_code == 303
        copy = gate.client(ELSEWHERE)
        copy.cookies.set("farside", cookie)
        assert (await copy.get("/page.json")).status_code == 401
        # A new password, another role, being taken out: at once.
        client = await gate.signed_in("editor")
        gate.people.put("editor", "editor", PASSWORD + "!")
        assert (await client.get("/page.json")).status_code == 401
        client = await gate.signed_in("viewer")
        gate.people.remove("viewer")
        assert (await client.get("/page.json")).status_code == 401
        # In time.
        client = await gate.signed_in("editor2")
        with sqlite3.connect(tmp_path / "sessions.sqlite3") as db:
            kept = db.execute("SELECT id FROM sessions").fetchall()
            db.execute("UPDATE sessions SET until = ?", [time.time() - 1])
        db.close()
        assert (await client.get("/page.json")).status_code == 401
        assert client.cookies["farside"] not in {row[0] for row in kept}, "the file holds a hash of it only"

    run(story())


def test_an_unknown_name_takes_as_long_as_a_wrong_password(guarded: Guard) -> None:
    people = guarded("editor").people

    def took(name: str) -> float:
        start = time.thread_time()
        assert people.verify(name, "not the password") is None
        return time.thread_time() - start

    took("editor")
    known, unknown = (statistics.median(took(name) for _ in range(5)) for name in ("editor", "nobody"))
    assert 0.4 < known / unknown < 2.5, (known, unknown)
    assert people.verify("nobody", "") is None


def test_guessing_is_limited_and_others_are_not_locked_out(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded("editor")
        guesser = gate.client(ELSEWHERE)
        token = (await guesser.get("/sign-in")).text.split()[1]
        statuses = []
        for i in range(12):
            data = {"name": "editor", "password": f"guess number {i}", "csrf": token}
            statuses.append((await guesser.post("/sign-in", data=data)).status_code)
        assert statuses == [401] * 10 + [429] * 2
        # Not even the right one now, from there; from elsewhere it opens.
        assert (await sign_in(guesser, "editor")).status_code == 429
        assert (await sign_in(gate.client("198.51.100.7"), "editor")).status_code == 303
        # Other names from the same network have their own count, up to the network's.
        statuses = [(await sign_in(guesser, f"name{i}")).status_code for i in range(25)]
        assert statuses[0] == 401
        assert statuses[-1] == 429

    run(story())


def test_signing_in_somebody_else_needs_a_form_of_ours_too(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded("editor")
        reply = await gate.client().post("/sign-in", data={"name": "editor", "password": PASSWORD})
        assert reply.status_code == 403
        assert not any("farside=" in cookie for cookie in reply.headers.get_list("set-cookie"))

    run(story())


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "\\\\evil.example", "evil.example",
        "javascript:alert(1)", "/a\r\nset-cookie: x=y", "", "/%09/ok\n", "/" + "a" * 5_000,
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(guarded: Guard, there: str) -> None:
    async def story() -> None:
        reply = await sign_in(guarded("editor").client(), "editor", next=there)
        assert (reply.status_code, reply.headers["location"]) == (303, "/")

    run(story())
    assert local("/routes?app=shop&route=%2F") == "/routes?app=shop&route=%2F"


# A proxy that signs people in.

PROXY = {"proxy_header": "X-Forwarded-User", "proxies": "10.0.0.0/8, 127.0.0.1"}


def test_a_proxy_of_ours_names_who_it_is(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded(**PROXY)
        gate.people.put("boss@example.com", "editor", "")
        proxy = gate.client("10.1.2.3")
        for name, status in (("boss@example.com", 200), ("somebody", 403)):
            token = (await proxy.get("/page", headers={"x-forwarded-user": name})).json()["token"]
            reply = await proxy.post("/page", data={"csrf": token}, headers={"x-forwarded-user": name})
            assert reply.status_code == status, name
        assert gate.behind.written == [("boss@example.com", "/page")]
        assert (await proxy.get("/page.json")).status_code == 401, "whom it does not name is not in"

    run(story())


def test_nobody_but_the_proxy_says_who_somebody_is(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded(**PROXY)
        gate.people.put("boss", "editor", "")
        for peer in (ELSEWHERE, "::1", "11.0.0.1", ""):
            reply = await gate.client(peer).get("/page", headers={"x-forwarded-user": "boss"})
            assert reply.status_code == 403, peer
        # Nor does X-Forwarded-For make anybody the proxy, and two names are none.
        forged = {"x-forwarded-user": "boss", "x-forwarded-for": "10.1.2.3"}
        assert (await gate.client(ELSEWHERE).get("/page", headers=forged)).status_code == 403
        twice = [("host", "localhost"), ("x-forwarded-user", "boss"), ("x-forwarded-user", "somebody")]
        assert (await gate.client("10.1.2.3").get("/page", headers=twice)).status_code == 403
        assert (await gate.client("10.1.2.3").get("/page", headers={"x-forwarded-user": ""})).status_code == 403

    run(story())


# Writing.


def test_a_write_needs_somebody_who_may_and_a_form_of_ours(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded("viewer", "editor", "editor2")
        assert (await gate.client().post("/page", data={"csrf": "x"})).status_code == 401
        assert (await gate.client().post("/api/v1/errors")).status_code == 401
        viewer, editor, other = [await gate.signed_in(name) for name in ("viewer", "editor", "editor2")]
        tokens = [(await client.get("/page")).json()["token"] for client in (viewer, editor, other)]
        assert (await viewer.post("/page", data={"csrf": tokens[0]})).status_code == 403
        assert (await editor.post("/page")).status_code == 403
        assert (await editor.post("/page", data={"csrf": ""})).status_code == 403
        assert (await editor.post("/page", data={"csrf": tokens[2]})).status_code == 403, "another person's form"
        assert (await editor.delete("/page")).status_code == 403
        elsewhere = {"sec-fetch-site": "cross-site"}
        assert (await editor.post("/page", data={"csrf": tokens[1]}, headers=elsewhere)).status_code == 403
        assert gate.behind.written == []
        reply = await editor.post("/page", data={"csrf": tokens[1], "said": "grüße"})
        assert (reply.status_code, reply.json()["said"]) == (200, "grüße"), "the body arrives whole"
        assert (await editor.delete("/page", headers={"x-farside-form": tokens[1]})).status_code == 200
        assert gate.behind.written == [("editor", "/page")] * 2
        huge = await editor.post("/page", data={"csrf": tokens[1], "said": "x" * (1 << 20)})
        assert huge.status_code == 413
        assert (await viewer.post("/api/v1/ask", json={})).status_code == 200, "a question changes nothing"

    run(story())


def test_a_page_elsewhere_cannot_write_to_a_farside_without_sign_in(guarded: Guard) -> None:
    async def story() -> None:
        gate = guarded()
        client = gate.client("127.0.0.1")
        token = (await client.get("/page")).json()["token"]
        assert (await gate.client("127.0.0.1").post("/page", data={"csrf": token})).status_code == 403, (
            "another browser"
        )
        assert (await client.post("/page")).status_code == 403
        assert (await client.post("/page", data={"csrf": token})).status_code == 200

    run(story())


def test_tokens_open_what_they_are_for(guarded: Guard) -> None:
    async def story() -> None:
        client = guarded("editor", api_token="read-me", deploy_token="ship-it").client(ELSEWHERE)

        async def status(method: str, path: str, token: str) -> int:
            reply = await client.request(method, path, headers={"authorization": f"Bearer {token}"})
            return int(reply.status_code)

        assert await status("GET", "/api/v1/errors", "read-me") == 200
        assert await status("POST", "/api/v1/ask", "read-me") == 200
        assert await status("GET", "/metrics", "read-me") == 200
        assert await status("POST", "/api/v1/markers", "read-me") == 401
        assert await status("POST", "/api/v1/markers", "ship-it") == 200
        assert await status("GET", "/api/v1/errors", "ship-it") == 401
        assert await status("GET", "/page", "read-me") == 303
        assert [await status("GET", "/api/v1/errors", "guess") for _ in range(15)][-1] == 429

    run(story())


def test_an_empty_token_setting_opens_nothing(guarded: Guard) -> None:
    async def story() -> None:
        client = guarded("editor").client(ELSEWHERE)
        for value in ("Bearer ", "Bearer", "bearer  ", "Basic eDp5"):
            assert (await client.get("/api/v1/errors", headers={"authorization": value})).status_code == 401

    run(story())


def test_behind_no_gate_nobody_may_change_anything() -> None:
    assert not NOBODY.person.may_change


# Starting, and the file.


def test_a_public_address_needs_a_sign_in(tmp_path: Path) -> None:
    def allowed(**environment: str) -> bool:
        settings = load(None, {f"FARSIDE_{k.upper()}": v for k, v in environment.items()}, {"data": tmp_path})
        try:
            require_sign_in(settings, People(settings.people_file))
        except BadSettings as error:
            assert "people add" in str(error)
            return False
        return True

    assert allowed(host="127.0.0.1")
    assert allowed(host="::1")
    assert not allowed(host="0.0.0.0")
    assert not allowed(host="rum.example")
    assert allowed(host="0.0.0.0", private="127.0.0.1:8318")
    assert not allowed(host="127.0.0.1", private="0.0.0.0:8318")
    assert allowed(host="0.0.0.0", roles="ingest")
    assert allowed(host="0.0.0.0", proxy_header="X-Forwarded-User", proxies="10.0.0.1")
    people = People(tmp_path / "people.toml")
    people.put("proxied", "editor", "")
    assert not allowed(host="0.0.0.0"), "nobody could sign in"
    people.put("anna", "editor", PASSWORD)
    assert allowed(host="0.0.0.0")


@pytest.mark.parametrize(
    ("name", "value"),
    [("proxy_header", "X-User"), ("proxy_role", "root"), ("private", "8318"), ("proxies", "example.com")],
)
def test_settings_that_would_open_or_close_the_pages_by_mistake_are_refused(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        load(None, {f"FARSIDE_{name.upper()}": value})


def test_the_file_holds_argon2_hashes_that_only_the_owner_reads(tmp_path: Path) -> None:
    people = People(tmp_path / "people.toml")
    people.put("anna@example.com", "editor", PASSWORD)
    text = people.file.read_text()
    assert PASSWORD not in text
    assert "$argon2id$" in text
    assert people.file.stat().st_mode & 0o777 == 0o600
    assert People(people.file).verify("anna@example.com", PASSWORD)
    assert HASHER.memory_cost >= 19 * 1024, "what OWASP asks for at the least"
    for name, role, password in (("a b", "viewer", PASSWORD), ("x", "root", PASSWORD), ("x", "viewer", "short")):
        with pytest.raises(BadSettings):
            people.put(name, role, password)
    assert set(people.entries()) == {"anna@example.com"}
    # Damaged while we run: as they were. Damaged from the start: a sentence.
    people.file.write_text("[anna]\nrole = 7\n")
    assert set(people.entries()) == {"anna@example.com"}
    with pytest.raises(BadSettings, match="anna"):
        People(people.file).entries()


def test_a_cookie_of_rubbish_is_no_cookie(guarded: Guard) -> None:
    async def story() -> None:
        client = guarded("editor").client()
        for cookie in ("farside=", "farside=\x01", "farside=;;;=", 'farside="', "a" * 9_000):
            headers = httpx.Headers([("cookie", cookie)], encoding="latin-1")
            assert (await client.get("/page.json", headers=headers)).status_code == 401

    run(story())
