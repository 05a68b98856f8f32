-- Releases whose first view ever, as far as is kept, came within the question's time: the markers of its charts.
SELECT toString(release) AS release, min(received_at) AS began_at
FROM events
WHERE app = {app:String} AND type = 'view' AND release != ''
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY release
HAVING began_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY began_at
LIMIT {limit:UInt32}
