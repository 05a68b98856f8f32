"""npm: packages that only tests and measurements need, each set pinned by a lock file in the folder that names it.

They are installed once for a lock, into a folder of the user's cache, with the Node that builds the snippet; nothing of
them is ever part of the repository or of the wheel.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from hatch_build import find_node, npm_of

PROGRAMS = Path(__file__).parent / "node"
PINNED = ("package.json", "package-lock.json", ".npmrc")


def installed(folder: Path) -> Path:
    """The cached folder that holds `node_modules` for the lock in `folder`."""
    pinned = hashlib.sha256(b"".join((folder / name).read_bytes() for name in PINNED)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "farside-tests"
    ready = cache / f"{folder.name}-{pinned}"
    if not (ready / "complete").exists():
        draft = cache / f"draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed and had our number
        draft.mkdir(parents=True)
        for name in PINNED:
            shutil.copyfile(folder / name, draft / name)
        run([str(npm_of(find_node())), "ci", "--ignore-scripts", "--loglevel=error"], draft, timeout_s=400)
        (draft / "complete").touch()
        # Two sessions may install at once; the first one's folder is as good as ours.
        try:
            draft.rename(ready)
        except OSError:
            shutil.rmtree(draft)
    return ready


def program(name: str, folder: Path = PROGRAMS) -> list[str]:
    """The command that runs a program of `folder` beside its packages."""
    packages = installed(folder)
    shutil.copyfile(folder / name, packages / name)
    return [str(find_node()), str(packages / name)]


def run(arguments: list[str], folder: Path, timeout_s: float = 60, **environment: str) -> str:
    """Run a script with Node and give back what it printed; fails with what it complained of."""
    node = find_node()
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        [str(node), *arguments], cwd=folder, env=os.environ | {"PATH": path} | environment,
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(arguments)} failed in {folder}:\n{done.stdout}{done.stderr}"
    return done.stdout


def bundle(packages: Path, entry: Path, **define: str) -> bytes:
    """One script of `entry` and the packages it imports, minified, as a page would load it."""
    written = packages / f"bundle-{os.getpid()}-{entry.stem}.js"
    defined = [f"--define:{name}={value}" for name, value in define.items()]
    options = ["--bundle", "--minify", "--format=iife", "--target=es2022", "--legal-comments=none", "--log-level=error"]
    # As bundlers for production resolve packages: the browser's build, not the one with warnings for developers.
    production = ["--conditions=production,browser,module", '--define:process.env.NODE_ENV="production"']
    script = str(packages / "node_modules" / "esbuild" / "bin" / "esbuild")
    try:
        run(
            [script, str(entry), *options, *production, *defined, "--define:global=window", f"--outfile={written}"],
            packages, NODE_PATH=str(packages / "node_modules"),
        )  # fmt: skip
        return written.read_bytes()
    finally:
        written.unlink(missing_ok=True)
