-- Whose some spans of some traces are.
-- DISTINCT would have them read in the exporter's order, and all of it; groups are read from the projection by trace.
SELECT SpanId AS span_id, toString(ServiceName) AS service
FROM otel_traces
WHERE cityHash64(TraceId) % 65536 IN (SELECT cityHash64(arrayJoin({traces:Array(String)})) % 65536)
    AND TraceId IN {traces:Array(String)} AND SpanId IN {spans:Array(String)}
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY span_id, service
