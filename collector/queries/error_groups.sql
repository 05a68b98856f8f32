-- Error groups of a question, the most frequent first, told by the newest of each; `slices`: number of slice → times.
SELECT
    fingerprint,
    toInt64(sum(weight)) AS times,
    uniqExact(view_key) AS views,
    uniqExactIf(user_id, user_id != '') AS users,
    uniqExact(session_id) AS sessions,
    max(timestamp) AS last_seen,
    sumMap(map(slice, weight)) AS slices,
    argMax((of_kind, type_of_error, said, on_route, of_view, of_event, of_team), (received_at, of_event)) AS newest,
    newest.1 AS kind,
    newest.2 AS error_type,
    newest.3 AS message,
    newest.4 AS route,
    newest.5 AS view_id,
    newest.6 AS event_id,
    newest.7 AS team
FROM
(
    SELECT
        fingerprint, view_key, events.view_id AS of_view, events.user_id AS user_id, session_id, timestamp, received_at,
        events.event_id AS of_event, events.name AS of_kind,
        toString(events.error_type) AS type_of_error, events.message AS said, toString(events.route) AS on_route,
        toString(events.team) AS of_team,
        toInt64(sample_n * ifNull(count, 1)) AS weight,
        toInt32(least(39, intDiv((toUnixTimestamp64Milli(received_at) - 1 - {since_ms:Int64}) * 40,
            {until_ms:Int64} - {since_ms:Int64}))) AS slice
    FROM events
    WHERE /* scope */ AND type = 'error' AND ({fingerprint:String} = '' OR fingerprint = {fingerprint:String})
)
GROUP BY fingerprint
ORDER BY times DESC, last_seen DESC
LIMIT {limit:UInt32}
