-- The traces of a session, those nearest to a moment first.
SELECT trace_id, min(abs(toUnixTimestamp64Milli(timestamp) - {near_ms:Int64})) AS distance
FROM events
WHERE session_id = {session_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC') AND trace_id != ''
    AND trace_source != 'foreign'
GROUP BY trace_id
ORDER BY distance, trace_id
LIMIT {limit:UInt32}
/* lookup */
