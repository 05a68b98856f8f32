-- Every request of a session that found its server's span, both by their own clocks: what bounds the clocks' offset.
-- Maps are read whole, once: left alone, the engine reads the file again for every key that is asked for.
SELECT
    served.host AS host,
    asked.start_ns AS client_start_ns, asked.start_ns + asked.took_ns AS client_end_ns,
    served.start_ns AS server_start_ns, served.start_ns + served.took_ns AS server_end_ns,
    asked.is_load AS is_load, asked.is_cut AS is_cut
FROM
(
    SELECT
        TraceId, ParentSpanId, toUnixTimestamp64Nano(Timestamp) AS start_ns, toInt64(Duration) AS took_ns,
        coalesce(
            nullIf(ResourceAttributes['host.name'], ''), nullIf(ResourceAttributes['host.id'], ''),
            nullIf(ResourceAttributes['k8s.pod.name'], ''), nullIf(ResourceAttributes['service.instance.id'], ''),
            toString(ServiceName)) AS host
    FROM otel_traces
    WHERE cityHash64(TraceId) % 65536 IN arrayMap(id -> cityHash64(id) % 65536, {traces:Array(String)})
        AND TraceId IN {traces:Array(String)} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
        AND ServiceName != 'browser' AND ParentSpanId != ''
) AS served
INNER JOIN
(
    SELECT
        TraceId, SpanId, max(toInt64(Duration)) AS took_ns,
        argMax(toUnixTimestamp64Nano(Timestamp), Duration) AS start_ns,
        any(SpanAttributes['farside.type']) = 'view' AS is_load,
        any(SpanAttributes['error.type'] IN ('abort', 'timeout', 'network', 'offline')) AS is_cut
    FROM otel_traces
    WHERE cityHash64(TraceId) % 65536 IN arrayMap(id -> cityHash64(id) % 65536, {traces:Array(String)})
        AND TraceId IN {traces:Array(String)} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
        AND ServiceName = 'browser' AND SpanAttributes['farside.trace_source'] NOT IN ('cached', 'foreign')
    GROUP BY TraceId, SpanId
) AS asked ON asked.SpanId = served.ParentSpanId AND asked.TraceId = served.TraceId
ORDER BY client_start_ns
LIMIT {limit:UInt32}
SETTINGS optimize_functions_to_subcolumns = 0
