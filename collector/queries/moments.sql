-- What happened within views that is worth a line: errors, failed requests, clicks in vain, feed loads given up.
SELECT
    view_id, event_id, toString(type) AS type, timestamp, name, toString(error_type) AS error_type, message, target, url,
    toString(failure) AS failure, status_code, duration_ms
FROM events
WHERE /* scope */ AND (type = 'error'
    OR (type = 'fetch' AND (failure != '' OR ifNull(status_code, 0) >= 400))
    OR (type = 'action' AND name IN ('rage_click', 'dead_click'))
    OR (type = 'feed' AND ifNull(abandoned, 0)))
ORDER BY timestamp DESC, event_id
LIMIT {limit:UInt32}
