-- What arrived within the question's time, the newest first: views, fetches, feed loads, errors. `total` counts all of
-- them, also those beyond the limit.
SELECT
    event_id, view_id, session_id, user_id, toString(type) AS type, received_at, timestamp, toString(route) AS route, path,
    name, url, toString(endpoint) AS endpoint, status_code, duration_ms, toString(failure) AS failure,
    toString(error_type) AS error_type, message, burst, batch, toString(browser) AS browser, toString(device) AS device,
    toString(country) AS country, toString(team) AS team, toInt64(count() OVER ()) AS total
FROM events
WHERE /* scope */ AND type IN ('view', 'fetch', 'feed', 'error')
ORDER BY received_at DESC, timestamp DESC, event_id DESC
LIMIT {limit:UInt32}
