-- The newest errors of one group.
SELECT
    event_id, view_id, trace_id, timestamp, at_ms, toString(route) AS route, toString(release) AS release,
    toString(browser) AS browser, toString(browser_version) AS browser_version, toString(os) AS os,
    toString(device) AS device, user_id, toString(error_type) AS error_type, message, stack, breadcrumbs, url,
    ifNull(count, 1) AS count
FROM events
WHERE /* scope */ AND type = 'error' AND fingerprint = {fingerprint:String}
ORDER BY received_at DESC, event_id
LIMIT {limit:UInt32}
