"""The OpenTelemetry SDK for Node exports unmodified, in protobuf and in JSON; its packages are pinned in tests/node.

They are installed once for a lock file into a folder of the user's cache, with the Node that builds the snippet.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hatch_build import find_node, npm_of
from tests.conftest import ROOT, Running

PROGRAM = ROOT / "tests" / "node"
PINNED = ("package.json", "package-lock.json", ".npmrc")


@pytest.fixture(scope="module")
def node() -> Path:
    return find_node()


@pytest.fixture(scope="module")
def program(node: Path) -> Path:
    """export.mjs beside its packages, installed by `npm ci` unless this very lock was installed before."""
    pinned = hashlib.sha256(b"".join((PROGRAM / name).read_bytes() for name in PINNED)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "farside-tests"
    folder = cache / f"node-{pinned}"
    if not (folder / "complete").exists():
        draft = cache / f"draft-{os.getpid()}"
        draft.mkdir(parents=True)
        for name in PINNED:
            shutil.copyfile(PROGRAM / name, draft / name)
        npm_ci(node, draft)
        (draft / "complete").touch()
        # Two sessions may install at once; the first one's folder is as good as ours.
        try:
            draft.rename(folder)
        except OSError:
            shutil.rmtree(draft)
    shutil.copyfile(PROGRAM / "export.mjs", folder / "export.mjs")
    return folder / "export.mjs"


def npm_ci(node: Path, folder: Path) -> None:
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    command = [str(node), str(npm_of(node)), "ci", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"npm ci failed in {folder}:\n{done.stdout}{done.stderr}"


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((PROGRAM / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "resolved" in package or "integrity" not in package] == []


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("exporter", ["proto", "http"], ids=["proto", "json"])
def test_the_node_sdk_exports_unmodified(
    shared_collector: Running, node: Path, program: Path, exporter: str, compression: str
) -> None:
    environment = os.environ | {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{shared_collector.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_LOG_LEVEL": "warn",
    }
    done = subprocess.run(
        [str(node), str(program), exporter], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    sent = json.loads(done.stdout)
    shared_collector.settled()
    rows = shared_collector.rows(
        "SELECT * FROM otel_traces WHERE TraceId = {t:String} ORDER BY SpanName", t=sent["trace"]
    )
    outer, inner = rows
    assert (outer["SpanId"], outer["SpanName"], outer["SpanKind"]) == (sent["outer"], "GET /images/:id", "Server")
    assert (outer["ServiceName"], outer["ResourceAttributes"]["service.version"]) == ("images", "3")
    assert (outer["ScopeName"], outer["ScopeVersion"], outer["ParentSpanId"]) == ("test", "1.2", "")
    assert outer["SpanAttributes"] == {
        "n": "3", "half": "0.5", "ok": "true", "sizes": '["s", "l"]', "word": "größer",
    }  # fmt: skip
    assert (inner["SpanId"], inner["ParentSpanId"], inner["SpanKind"]) == (sent["inner"], sent["outer"], "Internal")
    assert (inner["StatusCode"], inner["StatusMessage"]) == ("Error", "no such image")
    assert inner["Events.Name"] == ["started", "exception"]
    assert inner["Events.Attributes"][0] == {"k": "v"}
    assert inner["Events.Attributes"][1]["exception.message"] == "no such image"
    assert (inner["Links.TraceId"], inner["Links.SpanId"]) == ([sent["trace"]], [sent["outer"]])
    assert inner["Links.Attributes"] == [{"why": "test"}]
    assert inner["Duration"] >= 0
