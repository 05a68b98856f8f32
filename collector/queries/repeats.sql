-- Operations that were called several times within one trace, by how many calls could have been spared, each with the trace
-- in which it was worst and the span that called it there; from one trace in `nth`.
SELECT
    toString(ServiceName) AS service,
    toString(SpanName) AS operation,
    toInt64(max(n)) AS most,
    toInt64(count()) AS traces,
    argMax(took_ms, n) AS took_ms,
    argMax(TraceId, n) AS trace_id,
    argMax(parent, n) AS parent_id
FROM
(
    SELECT TraceId, ServiceName, SpanName, count() AS n, sum(Duration) / 1e6 AS took_ms, any(ParentSpanId) AS parent
    FROM otel_traces
    /* sampled */ AND SpanKind = 'Server'
    GROUP BY TraceId, ServiceName, SpanName
    HAVING n >= {fewest:UInt32}
)
GROUP BY service, operation
ORDER BY sum(n) - count() DESC, service, operation
LIMIT {limit:UInt32}
