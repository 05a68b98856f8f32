-- What is in each of some traces: services, spans, and the browser's view that it belongs to.
SELECT
    TraceId AS trace_id,
    count() AS spans,
    countIf(StatusCode = 'Error') AS errors,
    arraySort(groupUniqArray(toString(ServiceName))) AS services,
    anyIf(SpanAttributes['farside.route'], ServiceName = 'browser' AND SpanAttributes['farside.type'] = 'view') AS route,
    anyIf(SpanAttributes['farside.view_id'], ServiceName = 'browser' AND SpanAttributes['farside.type'] = 'view') AS view_id
FROM otel_traces
WHERE cityHash64(TraceId) % 65536 IN (SELECT cityHash64(arrayJoin({ids:Array(String)})) % 65536)
    AND TraceId IN {ids:Array(String)} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY TraceId
