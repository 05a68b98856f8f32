"""The codebase held to its word: the map lists every room, docs name what exists, the wheel has two names at its top."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.stem
    for path in (ROOT / "collector").iterdir()
    if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").exists()
)


def test_the_order_of_the_rooms_names_every_module() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    ordered = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    assert {f"collector.{name}" for name in MODULES} - {"collector.demo"} | {"dashboards"} == ordered


def test_the_journey_and_the_readme_name_every_room() -> None:
    journey = (ROOT / "collector" / "__init__.py").read_text()
    readme = (ROOT / "README.md").read_text()
    for name in ("beacon", "otlp", "outcomes", "enrich", "ingest", "spool", "load", "store", "query", "traces", "demo"):
        assert f"`{name}`" in journey, name
        assert f"{name}" in readme, name


@pytest.mark.parametrize("package", ["collector", "dashboards"])
def test_every_module_says_what_it_is(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert path.read_text().startswith('"""'), path


def test_a_query_file_bears_its_functions_name() -> None:
    functions = "".join(path.read_text() for path in (ROOT / "collector" / "query").glob("*.py"))
    for path in (ROOT / "collector" / "queries").glob("*.sql"):
        assert re.search(rf"\b{path.stem}\b", functions), path


def test_files_can_be_read_in_one_go() -> None:
    for pattern in ("collector/**/*.py", "dashboards/**/*.py", "js-snippet/src/*.ts"):
        for path in ROOT.glob(pattern):
            assert len(path.read_text().splitlines()) <= 400, path


def test_locks_name_no_registry() -> None:
    for path in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("js-snippet/package-lock.json")]:
        assert "://" not in re.sub(r'"(?:url|funding)": "[^"]*"', "", path.read_text()), path


def test_npm_locks_name_no_registry_and_pin_every_package() -> None:
    locks = [path for path in ROOT.glob("[!.]*/**/package-lock.json") if "node_modules" not in path.parts]
    assert len(locks) >= 4
    for path in locks:
        packages = {name: package for name, package in json.loads(path.read_text())["packages"].items() if name}
        assert [name for name, at in packages.items() if "resolved" in at or "integrity" not in at] == [], path


def test_links_between_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_snippet_is_within_its_limits() -> None:
    sizes = {
        name: facts["gzip"]
        for name, facts in json.loads((ROOT / "collector/snippet/manifest.json").read_text()).items()
    }
    assert sizes["farside.js"] <= 10_240
    assert sizes["farside.core.js"] <= 6_144
    assert sizes["loader.js"] <= 600


def test_no_two_functions_ask_one_query() -> None:
    """A query file is its function's: two rooms that chose one name would each get the other's rows."""
    asked: dict[str, set[str]] = {}
    for path in (ROOT / "collector" / "query").glob("*.py"):
        for name in re.findall(r'\bask\(\s*store,\s*"(\w+)"', path.read_text()):
            asked.setdefault(name, set()).add(path.name)
    assert {name: paths for name, paths in asked.items() if len(paths) > 1} == {}
