-- Whether an app has sent anything yet, whatever the range and the filters.
SELECT count() AS events, max(received_at) AS last_received_at, argMaxIf(view_id, received_at, type = 'view') AS view_id,
    countIf(type = 'view') AS views
FROM events
WHERE app = {app:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
