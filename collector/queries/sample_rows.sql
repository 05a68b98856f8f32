-- The events a metric is made of, the newest first: enough of each to recognise it, and where it leads.
SELECT
    events.timestamp AS timestamp, toString(events.type) AS type, events.name AS name, toString(events.route) AS route,
    if(events.url = '', events.path, events.url) AS url, events.value AS value, events.duration_ms AS duration_ms,
    events.status_code AS status_code, events.message AS message, toString(events.browser) AS browser,
    toString(events.os) AS os, toString(events.country) AS country, toString(events.release) AS release,
    events.user_id AS user_id, events.view_id AS view_id, events.trace_id AS trace_id, events.event_id AS event_id,
    toInt64(events.sample_n) AS sample_n
FROM events
WHERE /* scope */ AND /* types */
ORDER BY events.received_at DESC, events.event_id
LIMIT {most:UInt32}
