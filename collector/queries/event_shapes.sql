-- What a waterfall draws of the events one view reported, in the order in which they happened.
SELECT
    type, event_id, view_id, trace_id, span_id, server_span_id, trace_source, timestamp, at_ms, seq,
    clock_offset_ms, route, path, name, value, duration_ms, status_code, url, endpoint, failure, initiator, batch,
    phases
FROM events
WHERE view_id = {view_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY at_ms, seq, event_id
LIMIT {limit:UInt32}
/* lookup */
