-- Everything one view reported, in the order in which it happened.
SELECT
    type, event_id, app, received_at, timestamp, session_id, view_id, user_id, seq, at_ms, route, path, origin,
    navigation, release, environment, browser, browser_version, os, os_version, device, bot_score, country,
    viewport_width, viewport_height, connection, device_memory, save_data, visibility, sample_n, snippet,
    clock_offset_ms, clock, name, value, duration_ms, status_code, trace_id, span_id, parent_span_id, server_span_id,
    trace_source, url, endpoint, cause, failure, initiator, bytes, target, phases, batch, burst, duplicates, items,
    stall_ms, distance_px, depth_px, abandoned, count, error_type, message, stack, fingerprint, breadcrumbs, flags,
    flag_sources, attributes
FROM events
WHERE view_id = {view_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY at_ms, seq, event_id
LIMIT {limit:UInt32}
/* lookup */
