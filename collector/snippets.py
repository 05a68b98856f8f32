"""Snippets: the built snippet as browsers get it, by name and by hash.

By name it is the newest. By hash it is what a page has pinned with `integrity`: that stays served after an upgrade, so
every build that was ever served is kept in the data folder.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import zopfli.gzip
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

log = logging.getLogger("farside")

DAY_S, YEAR_S = 86_400, 31_536_000
_PINNED = re.compile(r"[a-z.]+\.([0-9a-f]{12})\.js")


def snippet_routes(kept: Path) -> list[Route]:
    """Routes of the snippet that is built in, and of all its predecessors in the folder `kept`."""
    built = dict(_built())
    if not built:
        log.error("The snippet is not built, /farside.js will answer 404; run `make snippet`")
    pinned = {f"{name.removesuffix('.js')}.{_hash(body)}.js": body for name, body in built.items()}
    _keep(kept, pinned)
    newest = f"public, max-age={DAY_S}, stale-while-revalidate={7 * DAY_S}"
    forever = f"public, max-age={YEAR_S}, immutable"
    return [
        *(_script(name, body, newest) for name, body in built.items()),
        *(_script(name, body, forever) for name, body in (dict(_kept(kept)) | pinned).items()),
    ]


def _built() -> Iterator[tuple[str, bytes]]:
    folder = resources.files("collector") / "snippet"
    if (folder / "manifest.json").is_file():
        for name in json.loads((folder / "manifest.json").read_text()):
            yield name, (folder / name).read_bytes()


def _keep(kept: Path, pinned: dict[str, bytes]) -> None:
    try:
        kept.mkdir(parents=True, exist_ok=True)
        for name, body in pinned.items():
            if not (kept / name).exists():
                draft = kept / f"{name}.draft"
                draft.write_bytes(body)
                draft.replace(kept / name)
    except OSError as error:
        log.warning("Pages that pin this snippet would lose it with the next upgrade, it cannot be kept: %s", error)


def _kept(kept: Path) -> Iterator[tuple[str, bytes]]:
    """What is in the folder and is what its name says."""
    for path in kept.glob("*.js"):
        name = _PINNED.fullmatch(path.name)
        body = path.read_bytes()
        if name and name[1] == _hash(body):
            yield path.name, body
        else:
            log.warning("%s is not what its name says and is not served", path)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12]


@cache
def _squeezed(body: bytes) -> bytes:
    """As gzip by Zopfli, which is slower than zlib and smaller: done once, when a build is first asked for."""
    return bytes(zopfli.gzip.compress(body))


def _script(name: str, body: bytes, cache: str) -> Route:
    headers = {
        "cache-control": cache,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "timing-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "vary": "accept-encoding",
    }

    async def serve(request: Request) -> Response:
        plain = "gzip" not in request.headers.get("accept-encoding", "")
        encoding = {} if plain else {"content-encoding": "gzip"}
        return Response(
            body if plain else _squeezed(body), media_type="text/javascript; charset=utf-8", headers=headers | encoding
        )

    return Route(f"/{name}", serve)
