-- Part of other queries: the spans of one trace in `nth`, a power of two; the same traces for everybody. They lie together
-- in the projection `by_trace`.
WHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND cityHash64(TraceId) % 65536 < intDiv(65536, {nth:UInt32})
    AND ({is_narrowed:UInt8} = 0 OR TraceId IN (
        SELECT trace_id FROM events WHERE {is_narrowed:UInt8} = 1 AND /* scope */ AND trace_id != ''))
