"""Twins: what a page shows, as JSON and as CSV, from the same rows.

A row is flat: column → number, text, time or truth. CSV cells that a spreadsheet would run as a formula are made text.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from collector.query.vitals import Percentile
from dashboards.numbers import iso

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # https://owasp.org/www-community/attacks/CSV_Injection


def percentile(prefix: str, value: Percentile | None) -> dict[str, Any]:
    """A percentile's columns under a prefix: p75, n, low, high."""
    if value is None:
        return {f"{prefix}p75": None, f"{prefix}n": 0, f"{prefix}low": None, f"{prefix}high": None}
    return {
        f"{prefix}p75": value.value,
        f"{prefix}n": value.n,
        f"{prefix}low": value.low,
        f"{prefix}high": value.high,
    }


def as_json(facts: Row, tables: Tables) -> bytes:
    """One object: the facts, then each table as an array of rows."""
    return msgspec.json.format(msgspec.json.encode({**facts, **tables}, enc_hook=str), indent=1) + b"\n"


def as_csv(rows: Sequence[Row]) -> bytes:
    """One table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return _csv([columns, *([row.get(column) for column in columns] for row in rows)])


def as_long_csv(tables: Tables) -> bytes:
    """All tables as one: a line for each cell."""
    lines: list[list[Any]] = [["table", "row", "column", "value"]]
    for name, rows in tables.items():
        for nr, row in enumerate(rows, 1):
            lines += [[name, nr, column, value] for column, value in row.items()]
    return _csv(lines)


def _csv(lines: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(value) for value in line] for line in lines)
    return text.getvalue().encode()


def _cell(value: Any) -> str | int | float:
    """Numbers stay numbers, a negative one too; only text can be a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return iso(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text
