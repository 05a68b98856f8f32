-- When an app first sent anything in a time.
SELECT min(received_at) AS first, count() AS n
FROM events
WHERE app = {app:String} AND received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
