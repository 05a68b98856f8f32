"""`farside rules test` as CI runs it: a process, whose exit code says whether the rules did what their `tests:` expect."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.store import Store
from tests.alerts.conftest import History
from tests.conftest import ROOT

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A data folder with twelve hours of visitors, and the moment at which /pay became slow for two of them."""
    data = tmp_path_factory.mktemp("history") / "data"
    store = Store(f"chdb://{data / 'chdb'}", scratch=data / "tmp")
    store.open()
    history = History(store)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    slow = now - 5 * HOUR
    for since, until, p75 in [(now - 12 * HOUR, slow, 1_500.0), (slow, slow + 2 * HOUR, 6_000.0),
                              (slow + 2 * HOUR, now, 1_500.0)]:  # fmt: skip
        history.steady(since, until, per_hour=600, p75=p75, route="/pay")
    history.write()
    store.close()
    return data, slow


def rules_test(data: Path, file: Path, *arguments: str) -> tuple[int, str]:
    """Exit code, and what was printed."""
    command = [sys.executable, "-m", "collector", "rules", "test", str(file), "--data", str(data), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def a_rule(folder: Path, *expectations: tuple[datetime, datetime, str]) -> Path:
    """A file with one rule on the LCP of /pay, and what it expects of itself."""
    tests = ", ".join(
        f"{{from: {a:%Y-%m-%dT%H:%MZ}, to: {b:%Y-%m-%dT%H:%MZ}, expect: {e}}}" for a, b, e in expectations
    )
    file = folder / "pay.yaml"
    file.write_text(
        "- {id: pay, metric: lcp, aggregate: p75, where: {app: demo, route: /pay},"
        f" fire: {{above: 2500, min_users: 5}}, tests: [{tests}]}}\n"
    )
    return file


def test_expectations_that_hold(story: tuple[Path, datetime], tmp_path: Path) -> None:
    data, slow = story
    file = a_rule(tmp_path, (slow - 3 * HOUR, slow - HOUR, "ok"), (slow, slow + 2 * HOUR, "firing"))
    code, said = rules_test(data, file, "--over", "7d")
    assert (code, said.splitlines()[-1]) == (0, "1 rule(s), 0 problem(s)"), said
    assert "pay: would have fired 1 time(s)" in said


def test_an_expectation_that_fails_is_named(story: tuple[Path, datetime], tmp_path: Path) -> None:
    data, slow = story
    file = a_rule(tmp_path, (slow, slow + 2 * HOUR, "ok"), (slow, slow + 2 * HOUR, "firing"))
    code, said = rules_test(data, file, "--over", "7d")
    assert (code, said.splitlines()[-1]) == (1, "1 rule(s), 1 problem(s)"), said
    until = slow + 2 * HOUR
    assert f"pay: expected ok between {slow:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC, and it was" in said


def test_an_alert_that_never_came_is_named(story: tuple[Path, datetime], tmp_path: Path) -> None:
    data, slow = story
    code, said = rules_test(data, a_rule(tmp_path, (slow - 3 * HOUR, slow - HOUR, "firing")), "--over", "7d")
    assert code == 1
    assert "pay: expected firing between" in said


def test_a_rule_that_cannot_be_read_needs_no_store(tmp_path: Path) -> None:
    file = tmp_path / "pay.yaml"
    file.write_text("- {id: pay, metric: lpc, aggregate: p75, where: {app: demo}, fire: {above: 2500}}\n")
    code, said = rules_test(tmp_path / "none", file, "--syntax")
    assert code == 1
    assert "pay.yaml" in said
    assert "lpc" in said
    assert not (tmp_path / "none").exists()
