"""The snippet is served by name and by hash, and what was pinned once stays."""

import asyncio
import hashlib
from pathlib import Path

import httpx
from starlette.applications import Starlette

from collector.snippets import snippet_routes


def fetched(kept: Path, path: str, encoding: str = "identity") -> httpx.Response:
    """What a collector with this folder answers."""

    async def fetch() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=list(snippet_routes(kept))))
        async with httpx.AsyncClient(transport=transport, base_url="http://farside") as client:
            return await client.get(path, headers={"accept-encoding": encoding})

    return asyncio.run(fetch())


def pinned(body: bytes) -> str:
    return f"farside.{hashlib.sha256(body).hexdigest()[:12]}.js"


def test_the_newest_is_served_by_name_and_kept_by_hash(tmp_path: Path) -> None:
    newest = fetched(tmp_path, "/farside.js")
    assert newest.status_code == 200
    assert "immutable" not in newest.headers["cache-control"]
    assert newest.headers["cross-origin-resource-policy"] == "cross-origin"
    same = fetched(tmp_path, f"/{pinned(newest.content)}")
    assert same.content == newest.content == (tmp_path / pinned(newest.content)).read_bytes()
    assert "immutable" in same.headers["cache-control"]


def test_it_travels_compressed_where_that_is_understood(tmp_path: Path) -> None:
    plain, squeezed = fetched(tmp_path, "/farside.js"), fetched(tmp_path, "/farside.js", "br, gzip")
    assert "content-encoding" not in plain.headers
    assert squeezed.headers["content-encoding"] == "gzip"
    assert squeezed.content == plain.content  # httpx has opened it
    assert int(squeezed.headers["content-length"]) < 0.5 * int(plain.headers["content-length"])
    assert plain.headers["vary"] == squeezed.headers["vary"] == "accept-encoding"


def test_what_travels_is_at_most_ten_kilobytes(tmp_path: Path) -> None:
    for name, most in (("farside.js", 10_000), ("farside.core.js", 6_000)):
        squeezed = fetched(tmp_path, f"/{name}", "gzip")
        assert int(squeezed.headers["content-length"]) <= most, name


def test_an_older_build_outlives_an_upgrade(tmp_path: Path) -> None:
    older = b"/* of last year */"
    (tmp_path / pinned(older)).write_bytes(older)
    reply = fetched(tmp_path, f"/{pinned(older)}")
    assert (reply.status_code, reply.content) == (200, older)
    assert "immutable" in reply.headers["cache-control"]


def test_what_is_not_what_its_name_says_is_not_served(tmp_path: Path) -> None:
    torn = pinned(b"whole")
    (tmp_path / torn).write_bytes(b"who")
    (tmp_path / "evil.js").write_bytes(b"alert(1)")
    assert fetched(tmp_path, f"/{torn}").status_code == 404
    assert fetched(tmp_path, "/evil.js").status_code == 404


def test_a_folder_that_cannot_be_written_takes_nothing_away(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert fetched(blocked, "/farside.js").status_code == 200
