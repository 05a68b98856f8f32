-- How long segments took from their newest line to the store, of all apps.
SELECT
    count() AS segments,
    toInt64(sum(lines)) AS total,
    quantilesExact(0.5, 0.95)(greatest(0, dateDiff('millisecond', last_received_at, loaded_at))) AS levels
FROM segments
WHERE last_received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND last_received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
