-- Whose some spans of some traces are.
SELECT DISTINCT SpanId AS span_id, toString(ServiceName) AS service
FROM otel_traces
WHERE cityHash64(TraceId) % 65536 IN arrayMap(id -> cityHash64(id) % 65536, {traces:Array(String)})
    AND TraceId IN {traces:Array(String)} AND SpanId IN {spans:Array(String)}
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
