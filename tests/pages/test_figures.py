"""Lines over time: what is counted is nought where nothing came, what is measured has a gap."""

from datetime import UTC, datetime, timedelta

from collector.query.markers import Marker
from collector.query.measure import Figure, Group, Measurement, Point
from collector.query.metrics import metric_of
from collector.query.question import Question
from dashboards.figures import lines
from dashboards.plots import HEIGHT, Plot, placed

UNTIL = datetime(2026, 11, 28, 12, tzinfo=UTC)
SLICES = 12


def drawn(name: str, aggregate: str, values: dict[int, float]) -> Plot:
    """One line of these values by slice."""
    question = Question("demo", UNTIL, "1h", metric=name, aggregate=aggregate)
    points = [
        Point(nr, question.since + nr * timedelta(minutes=5), Figure(value, 60, 40, 60.0))
        for nr, value in values.items()
    ]
    group = Group((), Figure(max(values.values()), 60, 40, 60.0), points)
    plot = lines(Measurement(question, metric_of(name), aggregate, [group], 0, True, SLICES), question, [])
    assert plot is not None
    return plot


def heights(plot: Plot) -> list[list[float]]:
    """Of each piece of the line, from the top."""
    return [[float(pair.partition(",")[2]) for pair in path.split()] for _, path in plot.lines]


def test_a_count_falls_to_nought_between_two_errors() -> None:
    plot = drawn("errors", "count", {2: 1.0, 8: 1.0})
    (line,) = heights(plot)
    assert len(line) == SLICES
    assert [nr for nr, y in enumerate(line) if y < HEIGHT] == [2, 8]
    assert [mark.label for mark in plot.y_marks] == ["0", "1"], "there is no half error"
    assert [mark.label for mark in drawn("errors", "count", {2: 3.0}).y_marks] == ["0", "3"]
    assert [mark.label for mark in drawn("errors", "count", {2: 4.0}).y_marks] == ["0", "2", "4"]


def test_a_percentile_has_a_gap_where_nothing_was_measured() -> None:
    pieces = heights(drawn("lcp", "p75", {1: 900.0, 2: 950.0, 3: 900.0, 8: 1_000.0, 10: 1_100.0}))
    assert [len(piece) for piece in pieces] == [3, 2]


def test_where_words_of_markers_would_meet_releases_and_alerts_keep_theirs() -> None:
    question = Question("demo", UNTIL, "1h")

    def at(minute: int, kind: str, name: str) -> Marker:
        return Marker(kind, name, UNTIL - timedelta(minutes=60 - minute))

    shown = placed(
        [at(20, "config", "apps.demo"), at(22, "release", "2.15.0"), at(36, "alert", "slow"), at(58, "deploy", "x")],
        question,
    )
    assert [(mark.kind, mark.label) for mark in shown] == [
        ("config", ""),
        ("release", "2.15.0"),
        ("alert", "▲ slow"),
        ("deploy", "x"),
    ]
    assert [mark.at for mark in shown] == sorted(mark.at for mark in shown)
    assert shown[-1].is_left, "or its words would be cut off at the edge"
