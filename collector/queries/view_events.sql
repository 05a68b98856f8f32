-- Everything one view reported, in the order in which it happened.
SELECT
    toString(type) AS type, event_id, toString(app) AS app, received_at, timestamp, session_id, view_id, user_id, seq, at_ms,
    toString(route) AS route, path, toString(origin) AS origin, toString(navigation) AS navigation,
    toString(release) AS release, toString(environment) AS environment,
    toString(browser) AS browser, toString(browser_version) AS browser_version,
    toString(os) AS os, toString(os_version) AS os_version, toString(device) AS device, bot_score,
    toString(country) AS country, viewport_width, viewport_height, toString(connection) AS connection,
    device_memory, save_data, toString(visibility) AS visibility, sample_n, toString(snippet) AS snippet,
    clock_offset_ms, toString(clock) AS clock, name, value, duration_ms, status_code,
    trace_id, span_id, parent_span_id, server_span_id, toString(trace_source) AS trace_source,
    url, toString(endpoint) AS endpoint, toString(cause) AS cause, toString(failure) AS failure,
    toString(initiator) AS initiator, bytes, target,
    CAST(phases, 'Map(String, Float64)') AS phases,
    batch, burst, duplicates, items, stall_ms, distance_px, depth_px, abandoned, count,
    toString(error_type) AS error_type, message, stack, fingerprint, breadcrumbs,
    CAST(flags, 'Map(String, String)') AS flags, CAST(flag_sources, 'Map(String, String)') AS flag_sources,
    CAST(attributes, 'Map(String, String)') AS attributes
FROM events
WHERE view_id = {view_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY at_ms, seq, event_id
LIMIT {limit:UInt32}
