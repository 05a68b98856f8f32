-- The views of one session, in the order in which they began.
SELECT view_id, timestamp, toString(route) AS route, toString(navigation) AS navigation
FROM events
WHERE app = {app:String} AND type = 'view' AND session_id = {session_id:String}
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY timestamp, event_id
LIMIT {limit:UInt32}
