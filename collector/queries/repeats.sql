-- Operations that were called several times within one trace, by how many calls could have been spared, each with its
-- caller and the trace in which it was worst; from one trace in `nth`.
WITH
    worst AS
    (
        SELECT
            toString(ServiceName) AS service,
            toString(SpanName) AS operation,
            toInt64(max(n)) AS most,
            toInt64(count()) AS traces,
            toInt64(sum(n) - count()) AS spared,
            argMax(took_ms, n) AS took_ms,
            argMax(TraceId, n) AS trace_id,
            argMax(parent, n) AS parent
        FROM
        (
            SELECT TraceId, ServiceName, SpanName, count() AS n, sum(Duration) / 1e6 AS took_ms, any(ParentSpanId) AS parent
            FROM otel_traces
            /* sampled */ AND SpanKind = 'Server'
            GROUP BY TraceId, ServiceName, SpanName
            HAVING n >= {fewest:UInt32}
        )
        GROUP BY service, operation
        ORDER BY spared DESC, service, operation
        LIMIT {limit:UInt32}
    )
SELECT service, operation, most, traces, took_ms, trace_id, toString(caller.ServiceName) AS caller
FROM worst
ANY LEFT JOIN
(
    SELECT SpanId, ServiceName FROM otel_traces /* sampled */ AND SpanId IN (SELECT parent FROM worst)
) AS caller ON caller.SpanId = worst.parent
ORDER BY spared DESC, service, operation
