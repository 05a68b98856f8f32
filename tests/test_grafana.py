"""Grafana's dashboards: every query runs on our tables and answers, and says what the pages say."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from collector.query import vitals
from tests.conftest import ROOT
from tests.pages.conftest import Seeded, seeded

__all__ = ["seeded"]
FILES = sorted((ROOT / "dashboards" / "grafana").glob("*.json"))


def expanded(sql: str, since: datetime, until: datetime, app: str = "demo") -> str:
    """The data source's macros, as https://grafana.com/docs/plugins/grafana-clickhouse-datasource writes them down."""
    start, end = (int(moment.timestamp() * 1000) for moment in (since, until))
    sql = re.sub(
        r"\$__timeFilter_ms\((\w+)\)",
        rf"\1 >= fromUnixTimestamp64Milli({start}) AND \1 <= fromUnixTimestamp64Milli({end})", sql,
    )  # fmt: skip
    sql = re.sub(
        r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({start // 1000}) AND \1 <= toDateTime({end // 1000})", sql
    )
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", sql)
    assert "$__" not in sql, sql
    return sql.replace("${app}", app)


def queries() -> list[Any]:
    found = []
    for path in FILES:
        board = json.loads(path.read_text())
        targets = [(p["title"], p["type"], t["rawSql"]) for p in board["panels"] for t in p["targets"]]
        notes = [(note["name"], "annotation", note["target"]["rawSql"]) for note in board["annotations"]["list"]]
        words = [
            (word["name"], "variable", word["query"]) for word in board["templating"]["list"] if word["type"] == "query"
        ]
        found += [pytest.param(kind, sql, id=f"{path.stem}: {title}") for title, kind, sql in targets + notes + words]
    return found


@pytest.mark.parametrize(("kind", "sql"), queries())
def test_a_query_runs_and_answers(seeded: Seeded, kind: str, sql: str) -> None:
    until = datetime.now(UTC) + timedelta(minutes=1)
    rows = seeded.store.read(expanded(sql, until - timedelta(hours=3), until))
    assert rows, "it shows something of a shop with everything in it"
    if kind == "timeseries":
        assert next(iter(rows[0])) == "time"
        assert all(row["time"] <= later["time"] for row, later in pairwise(rows))
        assert any(isinstance(value, float) for value in rows[0].values())
    if kind == "annotation":
        assert {"time", "text"} <= set(rows[0])


def test_a_stat_shows_what_the_page_shows(seeded: Seeded) -> None:
    board = json.loads((ROOT / "dashboards/grafana/overview.json").read_text())
    stats = {panel["title"]: panel["targets"][0]["rawSql"] for panel in board["panels"] if panel["type"] == "stat"}
    q = seeded.question
    measured = {vital.name: vital.p75 for vital in vitals.vitals(seeded.store, q)}
    assert len(stats) == 5
    for name, p75 in measured.items():
        # Grafana's range includes its first moment, ours does not.
        (row,) = seeded.store.read(expanded(stats[f"{name} p75"], q.since + timedelta(milliseconds=1), q.until))
        assert (row["p75"], row["n"]) == (p75.value, p75.n), name


def test_boards_name_their_data_source_by_variable_and_do_not_overlap() -> None:
    uids = set()
    for path in FILES:
        board = json.loads(path.read_text())
        uids.add(board["uid"])
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            assert panel["datasource"]["uid"] == "${ds}"
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            own = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not own & taken, panel["title"]
            taken |= own
    assert len(uids) == len(FILES) == 4
