-- The views whose events carry a trace's id; the view it was made for first.
SELECT view_id, toString(any(app)) AS app, countIf(type = 'view') AS is_own, any(session_id) AS session_id,
    toUnixTimestamp64Milli(min(timestamp)) AS began_ms
FROM events
WHERE trace_id = {trace_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY view_id
ORDER BY is_own DESC, count() DESC, view_id
LIMIT 10
/* lookup */
