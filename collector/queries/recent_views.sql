-- The newest views, each with what is known of it so far.
WITH newest AS
(
    SELECT view_id, view_key, timestamp, received_at, toString(route) AS route, path, trace_id, user_id, session_id,
        toString(browser) AS browser, toString(os) AS os, toString(device) AS device, toString(country) AS country,
        toString(navigation) AS navigation, duration_ms
    FROM events
    WHERE /* scope */ AND type = 'view' AND received_at > fromUnixTimestamp64Milli({near_ms:Int64}, 'UTC')
    ORDER BY received_at DESC, timestamp DESC, event_id
    LIMIT {limit:UInt32}
)
SELECT
    newest.view_id AS view_id, newest.timestamp AS timestamp, newest.route AS route, newest.path AS path,
    newest.trace_id AS trace_id, newest.user_id AS user_id, newest.session_id AS session_id,
    newest.browser AS browser, newest.os AS os, newest.device AS device, newest.country AS country,
    newest.navigation AS navigation, newest.duration_ms AS duration_ms,
    rest.lcp AS lcp, rest.inp AS inp, rest.cls AS cls,
    toInt64(rest.requests) AS requests, toInt64(rest.errors) AS errors, rest.is_hidden AS is_hidden
FROM newest
LEFT JOIN
(
    SELECT
        view_key,
        argMaxIf(value, age, type = 'vital' AND name = 'LCP') AS lcp,
        argMaxIf(value, age, type = 'vital' AND name = 'INP') AS inp,
        argMaxIf(value, age, type = 'vital' AND name = 'CLS') AS cls,
        countIf(type = 'fetch') AS requests,
        sumIf(ifNull(count, 1), type = 'error') AS errors,
        min(visibility = 'hidden') AS is_hidden
    FROM events
    WHERE /* scope */ AND view_id IN (SELECT view_id FROM newest)
    GROUP BY view_key
) AS rest ON rest.view_key = newest.view_key
ORDER BY newest.received_at DESC, newest.timestamp DESC
