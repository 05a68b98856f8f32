"""Spans: where they are read from: our own table, and one that an OpenTelemetry Collector writes in the same ClickHouse.

Its rows are not copied. What our table has beyond the exporter's is worked out as it is read: the ids as numbers, and when
a span ended stands for `received_at`.
"""

import re

from collector.store.address import BadAddress

OWN = "FROM otel_traces"
COLUMNS = (
    "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,"
    " ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`,"
    " `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`"
)


def checked(table: str) -> str:
    """A table's name, `name` or `database.name`, for it stands in queries as it is; raises `BadAddress`."""
    if table and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?", table):
        raise BadAddress(f"traces_table = {table!r} is not the name of a table such as otel.otel_traces")
    return table


def read_from(sql: str, table: str) -> str:
    """The query, reading spans from there as well."""
    if not table or OWN not in sql:
        return sql
    both = (
        f"FROM (SELECT {COLUMNS}, received_at, span_key, parent_key FROM `otel_traces` UNION ALL SELECT {COLUMNS},"
        " toDateTime64(addNanoseconds(Timestamp, Duration), 3, 'UTC') AS received_at, reinterpretAsUInt64(unhex(SpanId)) AS"
        f" span_key, reinterpretAsUInt64(unhex(ParentSpanId)) AS parent_key FROM {table}) AS otel_traces"
    )
    # A subquery has no PREWHERE; the engine moves conditions into it by itself.
    plain = re.sub(r"PREWHERE(.*?)\nWHERE", r"WHERE\1\n    AND", sql, flags=re.DOTALL)
    return re.sub(rf"{OWN}\b", both, plain)
