-- Traces with a span that is looked for, each by the slowest of these. Without conditions a trace's own root is meant.
-- A browser's spans are of one app; a backend's of whoever calls it. Of one trace in `nth`, the same ones for everybody.
SELECT
    TraceId AS trace_id,
    argMax(SpanId, Duration) AS span_id,
    argMax(ServiceName, Duration) AS service,
    argMax(SpanName, Duration) AS name,
    argMax(Timestamp, Duration) AS started_at,
    max(Duration) / 1e6 AS duration_ms,
    countIf(StatusCode = 'Error') AS errors,
    count() AS spans,
    count() OVER () AS all_traces,
    sum(count()) OVER () AS all_spans
FROM otel_traces
-- Maps last: left alone, the engine reads them for every span, even if none is a root.
PREWHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND ({service:String} = '' OR ServiceName = {service:String})
    AND ({operation:String} = '' OR positionCaseInsensitiveUTF8(SpanName, {operation:String}) > 0)
    AND ({failed:UInt8} = 0 OR StatusCode = 'Error')
    AND Duration >= {longer_ns:UInt64} AND Duration <= {shorter_ns:UInt64}
    AND ({is_root:UInt8} = 0 OR parent_key = 0)
    AND ({nth:UInt32} = 1 OR cityHash64(TraceId) % 65536 < intDiv(65536, {nth:UInt32}))
WHERE (ServiceName != 'browser' OR ResourceAttributes['service.namespace'] = {app:String})
    AND ({key:String} = '' OR if({any_value:UInt8} = 1,
        mapContains(SpanAttributes, {key:String}) OR mapContains(ResourceAttributes, {key:String}),
        SpanAttributes[{key:String}] = {value:String} OR ResourceAttributes[{key:String}] = {value:String}))
    AND ({is_narrowed:UInt8} = 0 OR TraceId IN (
        SELECT trace_id FROM events WHERE {is_narrowed:UInt8} = 1 AND /* scope */ AND trace_id != ''))
GROUP BY TraceId
ORDER BY if({slowest:UInt8} = 1, duration_ms, toFloat64(toUnixTimestamp64Milli(started_at))) DESC, trace_id
LIMIT {limit:UInt32}
