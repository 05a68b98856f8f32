-- How many events of these types lie in the window, whatever the filters, and whether all stand for equally many: what
-- decides whether percentiles are exact, and whether they need weights.
SELECT count() AS n, min(sample_n) = max(sample_n) AS is_even
FROM events
WHERE events.sample_n > 0 AND events.app = {app:String} AND events.received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND events.received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND (empty({types:Array(String)}) OR events.type IN {types:Array(String)})
