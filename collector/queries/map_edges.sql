-- Who calls whom, from one trace in `nth`: a span and its parent in another service, and calls that lead out: to a store,
-- or to somebody who sends no spans of it.
--
-- A map costs as much to read as all other columns together, so only the spans that need one are asked for it: a browser's
-- for the app it is of, and those that lead out.
WITH
    callers AS
    (
        SELECT SpanId, TraceId, ServiceName AS service, SpanKind = 'Client' AND StatusCode = 'Error' AS failed
        FROM otel_traces
        /* sampled */ AND ServiceName != 'browser'
        UNION ALL
        SELECT SpanId, TraceId, ServiceName AS service, StatusCode = 'Error' AS failed
        FROM otel_traces
        /* sampled */ AND ServiceName = 'browser' AND ResourceAttributes['service.namespace'] = {app:String}
    ),
    calls AS
    (
        SELECT toString(caller.service) AS source, toString(ServiceName) AS target, 'service' AS kind, Duration AS took,
            StatusCode = 'Error' OR caller.failed AS failed, 0 AS is_read, 0 AS is_write,
            TraceId AS trace, SpanId AS span, Timestamp AS at
        FROM otel_traces
        INNER JOIN callers AS caller ON caller.SpanId = ParentSpanId
        /* sampled */ AND ServiceName != 'browser' AND ParentSpanId != '' AND caller.TraceId = TraceId
            AND caller.service != ServiceName
    ),
    outward AS
    (
        SELECT TraceId, SpanId, ServiceName, SpanName, SpanAttributes, Duration, StatusCode, Timestamp
        FROM otel_traces
        /* sampled */ AND ServiceName != 'browser' AND SpanKind IN ('Client', 'Producer')
        UNION ALL
        SELECT TraceId, SpanId, ServiceName, SpanName, SpanAttributes, Duration, StatusCode, Timestamp
        FROM otel_traces
        /* sampled */ AND ServiceName = 'browser' AND SpanKind = 'Client'
            AND ResourceAttributes['service.namespace'] = {app:String}
    ),
    -- A store is what a span of its own speaks of: https://opentelemetry.io/docs/specs/semconv/database/
    leaving AS
    (
        SELECT
            toString(ServiceName) AS source,
            coalesce(nullIf(SpanAttributes['db.system.name'], ''), nullIf(SpanAttributes['db.system'], '')) AS store,
            coalesce(nullIf(SpanAttributes['db.namespace'], ''), nullIf(SpanAttributes['db.name'], ''), nullIf(SpanAttributes['server.address'], ''), '') AS within,
            coalesce(nullIf(SpanAttributes['messaging.destination.name'], ''), nullIf(SpanAttributes['messaging.system'], '')) AS queue,
            coalesce(nullIf(SpanAttributes['server.address'], ''), nullIf(SpanAttributes['net.peer.name'], ''),
                nullIf(domain(coalesce(nullIf(SpanAttributes['url.full'], ''), SpanAttributes['http.url'])), ''),
                nullIf(domain(SpanAttributes['url.path']), '')) AS host,
            upper(coalesce(nullIf(SpanAttributes['db.operation.name'], ''), nullIf(SpanAttributes['db.operation'], ''),
                extract(coalesce(nullIf(SpanAttributes['db.query.text'], ''), nullIf(SpanAttributes['db.statement'], ''),
                    toString(SpanName)), '\\w+'))) AS verb,
            multiIf(store IS NOT NULL, concat(store, if(within = '', '', concat(' ', within))),
                queue IS NOT NULL, queue, ifNull(host, if(source = 'browser', '(its own origin)', '(unnamed)'))) AS target,
            multiIf(store IS NOT NULL, 'store', queue IS NOT NULL, 'queue', 'dark') AS kind,
            Duration AS took, StatusCode = 'Error' AS failed,
            kind = 'store' AND verb IN ('SELECT', 'GET', 'MGET', 'HGET', 'HGETALL', 'FIND', 'AGGREGATE', 'COUNT', 'EXISTS',
                'SCAN', 'QUERY', 'GETITEM', 'SEARCH', 'SMEMBERS', 'LRANGE', 'SHOW', 'WITH', 'PRAGMA') AS is_read,
            kind = 'queue' OR kind = 'store' AND verb IN ('INSERT', 'UPDATE', 'DELETE', 'SET', 'MSET', 'HSET', 'DEL', 'REPLACE',
                'MERGE', 'UPSERT', 'INCR', 'EXPIRE', 'LPUSH', 'RPUSH', 'SADD', 'PUTITEM', 'BULK', 'CREATE', 'ALTER', 'DROP',
                'TRUNCATE', 'INSERTONE', 'UPDATEONE', 'DELETEONE') AS is_write,
            TraceId AS trace, SpanId AS span, Timestamp AS at
        FROM outward
        WHERE SpanId NOT IN (
            SELECT ParentSpanId FROM otel_traces /* sampled */ AND SpanKind IN ('Server', 'Consumer'))
    )
SELECT
    source, target, kind,
    count() AS calls,
    quantileExact(0.75)(took) / 1e6 AS p75_ms,
    sum(failed) AS errors,
    sum(is_read) AS reads,
    sum(is_write) AS writes,
    min(at) AS first_at,
    argMax(trace, took) AS trace_id,
    argMax(span, took) AS span_id
FROM
(
    SELECT source, target, kind, took, failed, is_read, is_write, trace, span, at FROM calls
    UNION ALL
    SELECT source, target, kind, took, failed, is_read, is_write, trace, span, at FROM leaving
)
GROUP BY source, target, kind
ORDER BY calls DESC, source, target
LIMIT {limit:UInt32}
