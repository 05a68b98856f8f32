-- Part of other queries: the spans of one trace in `nth`, the same traces for everybody.
PREWHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND cityHash64(TraceId) % {nth:UInt32} = 0
WHERE ({is_narrowed:UInt8} = 0 OR TraceId IN (
        SELECT trace_id FROM events WHERE {is_narrowed:UInt8} = 1 AND /* scope */ AND trace_id != ''))
