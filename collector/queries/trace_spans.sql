-- The shape of one trace: enough of each span to hang it in the tree and to draw it.
-- The hash is what the projection `by_trace` is ordered by.
-- One thread: a second takes longer to begin than there is to read.
-- Maps are read whole, once: left alone, the engine reads the file again for every key that is asked for.
SELECT
    SpanId AS span_id, ParentSpanId AS parent_id, SpanName AS name, SpanKind AS kind, ServiceName AS service,
    toUnixTimestamp64Nano(Timestamp) AS start_ns, Duration AS duration_ns,
    StatusCode AS status, StatusMessage AS status_message,
    arrayFirst(said -> said != '', [
        ResourceAttributes['host.name'], ResourceAttributes['host.id'], ResourceAttributes['k8s.pod.name'],
        ResourceAttributes['service.instance.id'], toString(ServiceName)]) AS host,
    SpanAttributes['farside.type'] AS event_type,
    SpanAttributes['farside.view_id'] AS view_id,
    SpanAttributes['farside.event_id'] AS event_id,
    SpanAttributes['farside.server_span_id'] AS server_span_id,
    SpanAttributes['farside.trace_source'] AS trace_source,
    if(ServiceName = 'browser', SpanAttributes['error.type'], '') AS failure
FROM otel_traces
WHERE cityHash64(TraceId) % 65536 = cityHash64({trace_id:String}) % 65536
    AND TraceId = {trace_id:String} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY Timestamp, Duration DESC, SpanId
LIMIT {limit:UInt32}
SETTINGS optimize_functions_to_subcolumns = 0, max_threads = 1
