"""The npm package: what a consumer imports, its types, and that importing alone does nothing."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hatch_build import find_node
from tests.conftest import ROOT
from tests.snippet.conftest import Open
from tests.snippet.site import Site

PACKAGE = ROOT / "js-snippet"
CONSUMER = """import { init, route, user, flag, span, farside } from 'farside';
const seven: number = span('seven', () => 7);
const later: Promise<string> = span('later', async () => 'x');
init({ key: 'demo', url: URL_HERE, release: RELEASE_HERE, traceOrigins: ['https://api.example'] });
route('/npm'); user('u-1'); flag('cart', true, 'cached'); farside.error(new Error('told'), { order: 42 });
later.then(() => farside.mark('seven', seven));
"""


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed what `npm pack` would publish."""
    folder = tmp_path_factory.mktemp("consumer")
    installed = folder / "node_modules" / "farside"
    published = json.loads((PACKAGE / "package.json").read_text())["files"]
    for name in [*published, "package.json"]:
        source = PACKAGE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, _ready(installed / name))
    return folder


def _ready(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{find_node().parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_types_fit_a_strict_consumer_and_nothing_else(consumer: Path) -> None:
    flags = [
        "--noEmit",
        "--strict",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--target",
        "es2022",
        "--types",
        "",
    ]
    tsc = str(PACKAGE / "node_modules/typescript/bin/tsc")
    right = CONSUMER.replace("URL_HERE", "'/b'").replace("RELEASE_HERE", "'1'")
    (consumer / "right.ts").write_text(right)
    (consumer / "wrong.ts").write_text(
        right.replace("'cached'", "'somewhere'").replace("seven: number", "seven: string")
    )
    told = run(consumer, "node", tsc, *flags, "right.ts")
    assert told.returncode == 0, told.stdout
    told = run(consumer, "node", tsc, *flags, "wrong.ts")
    assert told.stdout.count("error TS") == 3, told.stdout


def test_a_bundled_consumer_sends_what_it_says(visit: Open, site: Site, consumer: Path) -> None:
    opened = visit("<h1>x</h1>", script="", goto=False)
    text = CONSUMER.replace("URL_HERE", f"'{site.url}/b'").replace("RELEASE_HERE", f"'{opened.name}'")
    (consumer / "shop.ts").write_text(text)
    esbuild = PACKAGE / "node_modules/esbuild/bin/esbuild"
    told = run(consumer, str(esbuild), "shop.ts", "--bundle", "--outfile=shop.js")
    assert told.returncode == 0, told.stderr
    html, headers = site.pages["/page"]
    site.pages["/page"] = (
        html.replace("</h1>", f"</h1><script>{(consumer / 'shop.js').read_text()}</script>"),
        headers,
    )
    opened.page.goto(site.url + "/page", wait_until="load")
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("typeof farside") == "undefined"
    opened.leave()
    head = opened.events("view")[0]["of"]
    assert (head["route"], head["user_id"], head["flags"]) == ("/npm", "u-1", {"cart": ["true", "cached"]})
    assert opened.events("error", message="told")[0]["attributes"] == {"order": "42"}
    assert {e["name"] for e in opened.events("mark")} >= {"seven", "later"}


def test_importing_it_on_a_server_does_nothing(consumer: Path) -> None:
    (consumer / "server.mjs").write_text(
        "import { span } from 'farside'; console.log(span('s', () => 7), typeof farside)"
    )
    told = run(consumer, "node", "server.mjs")
    assert (told.returncode, told.stdout) == (0, "7 undefined\n"), told.stderr
