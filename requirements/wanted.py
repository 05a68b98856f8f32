"""Prints what pyproject.toml asks for: the dependencies, the named extras, and what builds the wheel."""

import sys
import tomllib
from pathlib import Path

pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
project = pyproject["project"]
wanted = [*project["dependencies"], *pyproject["build-system"]["requires"]]
for extra in sys.argv[1:]:
    wanted += project["optional-dependencies"][extra]
print("\n".join(wanted))
