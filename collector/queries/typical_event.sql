-- An event that shows what is the matter: one that failed, was asked for again, or took longest; the newest of those.
SELECT view_id, events.trace_id AS trace_id, toFloat64(ifNull(duration_ms, ifNull(stall_ms, 0))) AS shown
FROM events
WHERE /* scope */ AND (empty({types:Array(String)}) OR type IN {types:Array(String)})
ORDER BY
    events.trace_id = '', failure = '' AND ifNull(status_code, 0) < 400 AND type != 'error', ifNull(burst, 0) <= 1,
    ifNull(stall_ms, 0) DESC, shown DESC, received_at DESC
LIMIT 1
