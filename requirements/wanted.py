"""Prints what pyproject.toml asks for: `serve` is what runs, `build` what makes the wheel, and extras have their names."""

import sys
import tomllib
from pathlib import Path

pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
groups = {
    "serve": pyproject["project"]["dependencies"],
    "build": pyproject["build-system"]["requires"],
    **pyproject["project"]["optional-dependencies"],
}
print("\n".join(requirement for name in sys.argv[1:] for requirement in groups[name]))
