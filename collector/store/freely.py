"""Freely: a handle for SQL that somebody wrote by hand. It can read our tables and nothing else.

Three fences. The text stands inside `SELECT * FROM (…) LIMIT n`, so it can be nothing but a query. The engine's own
parser takes it apart first, and only functions, tables and constructs of a list pass: `readonly` lets `file('/etc/…')`
through as a function, settings inside a subquery, and functions that speak to other machines. Last, the handle itself:
limits of time, memory and rows, then `readonly`, which it cannot undo.
"""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from clickhouse_connect.driver.client import Client

from collector.store.address import Address
from collector.store.engine import connect

TABLES = {
    "events", "otel_traces", "otel_traces_trace_id_ts", "outcomes", "refusal_details", "error_groups", "markers",
}  # fmt: skip
TABLE_FUNCTIONS = {"numbers"}
LONGEST = 16_384
LIMITS = {
    "max_execution_time": 10,
    "max_memory_usage": 2_000_000_000,
    "max_result_rows": 20_000,
    "max_result_bytes": 20_000_000,
    "max_temporary_data_on_disk_size_for_query": 1_000_000_000,
    "max_query_size": 262_144,
    "max_ast_elements": 5_000,
    "max_ast_depth": 400,
    "max_subquery_depth": 30,
    "allow_ddl": 0,
    "allow_introspection_functions": 0,
}
CATEGORIES = {
    "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance", "Encoding", "Hash",
    "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null", "Rounding", "String", "String Replacement",
    "String Search", "String Splitting", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
}  # fmt: skip
# Of no such category, or made by the parser itself.
ALSO = {
    "_cast", "caseWithExpression", "lambda", "exists", "grouping", "materialize", "identity", "toTypeName", "bar",
    "transform", "formatReadableSize", "formatReadableQuantity", "formatReadableTimeDelta", "visibleWidth", "byteSize",
    "countDigits", "ignore",
}  # fmt: skip
# Statements that are none here; whatever else is no SELECT is a mistake, of which the engine says where it is.
STATEMENTS = {
    "INSERT", "SHOW", "DROP", "ALTER", "CREATE", "DESCRIBE", "DESC", "EXPLAIN", "SET", "USE", "OPTIMIZE", "TRUNCATE",
    "DELETE", "UPDATE", "SYSTEM", "KILL", "GRANT", "REVOKE", "RENAME", "ATTACH", "DETACH", "EXISTS", "CHECK",
    "BACKUP", "RESTORE",
}  # fmt: skip
NEVER = {"chdb", "formatRow", "formatRowNoNewline"}
NODES = {
    "SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery", "ExpressionList", "Asterisk", "QualifiedAsterisk",
    "ColumnsTransformerList", "ColumnsExceptTransformer", "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformer::Replacement", "ColumnsRegexpMatcher", "ColumnsListMatcher", "TablesInSelectQuery",
    "TablesInSelectQueryElement", "TableExpression", "TableIdentifier", "TableJoin", "ArrayJoin", "Subquery", "Identifier",
    "Literal", "Function", "WithElement", "WindowDefinition", "WindowListElement", "OrderByElement", "InterpolateElement",
    "SampleRatio", "DataType",
}  # fmt: skip


class Forbidden(Exception):  # noqa: N818
    """The text asks for what is not to be had here; the sentence names it."""


class Freely:
    """One handle on the engine, with its limits."""

    def __init__(self, address: Address, database: str) -> None:
        self._address, self._database = address, database
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._functions: set[str] = set()
        self._tables: set[str] = set()

    def rows(
        self, sql: str, parameters: Mapping[str, Any], most: int, mark: str, check_wanted: Callable[[], None]
    ) -> tuple[list[str], list[list[Any]]]:
        """Columns and at most `most` rows. Raises `Forbidden`, and whatever the driver and `check_wanted` raise, for a query
        that was stopped may end as if it had found nothing, its syntax included."""
        if len(sql) > LONGEST:
            raise Forbidden(f"the query is longer than {LONGEST:,} characters")
        word = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
        if word in STATEMENTS:
            raise Forbidden(f"{word} is not to be had here; write one SELECT")
        with self._lock:
            check_wanted()
            client = self._client or self._open()
            text = f"SELECT * FROM (\n{sql}\n) LIMIT {int(most)}"
            try:
                syntax = client.query(f"{mark}EXPLAIN AST {text}", parameters=dict(parameters)).result_rows
                check_wanted()
                self._check([str(row[0]) for row in syntax])
                found = client.query(mark + text, parameters=dict(parameters))
                check_wanted()
            except Forbidden:
                raise
            except BaseException:
                # A handle whose query was stopped may give its result to the next one, and syntax is checked by results.
                self._client = None
                client.close()
                raise
            return list(found.column_names), [list(row) for row in found.result_rows]

    def close(self) -> None:
        """Let go of the handle."""
        with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    def _open(self) -> Client:
        client = connect(self._address, self._database)
        known = client.query(
            "SELECT name, lower(alias_to) AS means, is_aggregate OR categories IN {categories:Array(String)} AS is_safe"
            " FROM system.functions WHERE origin = 'System'",
            parameters={"categories": sorted(CATEGORIES)},
        ).result_rows
        safe = {name.lower() for name, means, is_safe in known if is_safe and not means}
        safe = (safe | {name.lower() for name in ALSO}) - {name.lower() for name in NEVER}
        self._functions = safe | {name.lower() for name, means, _ in known if means in safe}
        combinators = client.query("SELECT name FROM system.aggregate_function_combinators").result_rows
        aggregates = client.query("SELECT name FROM system.functions WHERE is_aggregate").result_rows
        self._functions |= {f"{name}{suffix}".lower() for (name,) in aggregates for (suffix,) in combinators}
        found = client.query(
            "SELECT name FROM system.tables WHERE database = {database:String}", parameters={"database": self._database}
        ).result_rows
        self._tables = {name for (name,) in found}
        if self._address.is_embedded:
            for name, value in LIMITS.items():
                client.command(f"SET {name} = {value}")
            client.command("SET readonly = 1")
        else:  # each request is a session of its own there, and readonly = 1 would forbid it the other limits
            for name, value in (LIMITS | {"readonly": 2}).items():
                client.set_client_setting(name, value)
        self._client = client
        return client

    def _check(self, lines: list[str]) -> None:
        """Every node of the syntax tree has to be on the list; what a name's own line breaks add is checked as well."""
        if not lines:
            raise Forbidden("the engine said nothing of the query's syntax; ask again")
        parents: list[str] = []
        for line in "\n".join(lines).splitlines():
            depth = len(line) - len(line.lstrip(" "))
            kind, _, rest = line.strip().partition(" ")
            name = re.sub(r"( \(alias .*)?( \(children \d+\))?$", "", rest)
            parent = parents[depth - 1] if 0 < depth <= len(parents) else ""
            parents[depth:] = [kind]
            # The driver itself asks for FORMAT Native at the very end.
            if kind not in NODES:
                raise Forbidden(_about_node(kind))
            if kind == "Function":
                self._check_function(name, parent)
            if kind in {"TableIdentifier", "Identifier"}:
                self._check_name(name)

    def _check_function(self, name: str, parent: str) -> None:
        if parent == "TableExpression":
            if name not in TABLE_FUNCTIONS:
                raise Forbidden(f"{name}() is not a table of Farside; there are {', '.join(sorted(TABLES))}")
        elif name.lower() not in self._functions:
            raise Forbidden(f"the function {name}() is not on the list of those that may be used here")

    def _check_name(self, name: str) -> None:
        first, dot, rest = name.partition(".")
        table = rest.partition(".")[0] if dot and first == self._database else first
        foreign = dot and first.lower() in {"system", "information_schema", "default", f"{self._database}_proof"}
        if foreign or (table in self._tables and table not in TABLES):
            raise Forbidden(f"{name} is not to be read here; there are {', '.join(sorted(TABLES))}")


def _about_node(kind: str) -> str:
    words = {"Set": "SETTINGS cannot be changed here", "ColumnsApplyTransformer": "APPLY is not to be had here"}
    return words.get(kind, f"{kind} is not to be had here; write one SELECT")
