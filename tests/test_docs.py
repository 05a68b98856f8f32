"""The documentation site builds, and none of its links leads nowhere."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    zensical = Path(sys.executable).parent / "zensical"
    command = [zensical, "build", "--strict", "--config-file", "mkdocs.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_site_builds_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    done = built(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {page.name for page in (tmp_path / "site").glob("*.html")}
    assert {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")} <= pages
    with (tmp_path / "docs" / "faq.md").open("a") as faq:
        faq.write("\n[nowhere](no-such-page.md)\n")
    assert built(tmp_path).returncode != 0


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}" in listed, page.name
