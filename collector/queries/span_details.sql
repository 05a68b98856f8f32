-- What some spans of one trace carry beyond their shape.
SELECT
    SpanId AS span_id, ServiceName AS service, toUnixTimestamp64Nano(Timestamp) AS start_ns,
    CAST(SpanAttributes, 'Map(String, String)') AS attributes,
    CAST(ResourceAttributes, 'Map(String, String)') AS resource,
    ScopeName AS scope_name, ScopeVersion AS scope_version, TraceState AS trace_state,
    arrayMap(t -> toUnixTimestamp64Nano(t), `Events.Timestamp`) AS event_times,
    arrayMap(n -> toString(n), `Events.Name`) AS event_names,
    arrayMap(m -> CAST(m, 'Map(String, String)'), `Events.Attributes`) AS event_attributes,
    `Links.TraceId` AS link_traces, `Links.SpanId` AS link_spans
FROM otel_traces
WHERE cityHash64(TraceId) % 65536 = cityHash64({trace_id:String}) % 65536
    AND TraceId = {trace_id:String} AND SpanId IN {span_ids:Array(String)}
    AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
