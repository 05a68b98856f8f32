-- Services and their busiest operations: what can be looked for. Spans lie in this order, so each is counted in one piece.
SELECT toString(ServiceName) AS service, toString(SpanName) AS operation, count() AS n
FROM otel_traces
WHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY ServiceName, SpanName
ORDER BY n DESC, service, operation
LIMIT {each:UInt32} BY service
LIMIT 1000
SETTINGS optimize_aggregation_in_order = 1
