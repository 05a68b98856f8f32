"""Deploy: what CI tells a running collector, over HTTP and with `deploy_token`: source maps and markers."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from collector.mapping import MAX_BYTES
from collector.settings import BadSettings

TIMEOUT_S = 60


class Refusal(BadSettings):
    """The collector said no, or nothing; the sentence is its own."""


def upload_maps(to: str, token: str, folder: Path, app: str, release: str, prefix: str) -> Iterator[str]:
    """Upload every source map below a folder; yields a line for each. `prefix` is where the folder is served."""
    maps = sorted(folder.rglob("*.map"))
    if not folder.is_dir() or not maps:
        raise BadSettings(f"{folder}: no *.map in there; build with source maps, and name the folder they are in")
    for path in maps:
        if path.stat().st_size > MAX_BYTES:
            raise BadSettings(f"{path} has more than {MAX_BYTES:,} bytes")
        file = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix().removesuffix('.map')}"
        query = urlencode({"app": app, "release": release, "file": file})
        answer = _post(f"{to.rstrip('/')}/api/v1/sourcemaps?{query}", token, path.read_bytes(), "application/json")
        yield f"{path} → {file} of {answer['app']} {release}: {answer['mappings']:,} mappings"


def post_marker(to: str, token: str, app: str, name: str, kind: str, link: str, at: str) -> str:
    """Post a marker; returns a line that says what stands there now."""
    said = {"app": app, "name": name, "kind": kind, "link": link, **({"at": at} if at else {})}
    answer = _post(f"{to.rstrip('/')}/api/v1/markers", token, json.dumps(said).encode(), "application/json")
    return f"{answer['kind']} {answer['name']} at {answer['at']} on the charts of {answer['app']}"


def _post(url: str, token: str, body: bytes, kind: str) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise BadSettings(f"--to {url!r} is no address; it is where pages are served, such as http://127.0.0.1:8317")
    headers = {"content-type": kind, **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310
            return dict(json.load(reply))
    except urllib.error.HTTPError as error:
        with error:
            raise Refusal(f"the collector answers {error.code}: {_problem(error.read())}") from None
    except (OSError, ValueError) as error:
        raise Refusal(f"{url.split('?')[0]}: {error}") from None


def _problem(body: bytes) -> str:
    try:
        return str(json.loads(body)["problem"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:200]
