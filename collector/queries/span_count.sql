-- How many spans came in a time: what decides how many traces of it the map reads.
SELECT count() AS n
FROM otel_traces
WHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
