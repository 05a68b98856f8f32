-- Every request of some traces, those of a session, that found its server's span, both by their own clocks: what bounds the
-- clocks' offset.
-- A browser's span and the spans that name it as parent meet under its id, in one reading of the traces.
-- Maps are read whole, once: left alone, the engine reads the file again for every key that is asked for.
SELECT
    served.1 AS host,
    asked_ns AS client_start_ns, asked_ns + took_ns AS client_end_ns,
    served.2 AS server_start_ns, served.2 + served.3 AS server_end_ns,
    is_load, is_cut
FROM
(
    SELECT
        max(if(is_asking, took, 0)) AS took_ns,
        argMaxIf(start_ns, took, is_asking) AS asked_ns,
        anyIf(type = 'view', is_asking) AS is_load,
        anyIf(failure IN ('abort', 'timeout', 'network', 'offline'), is_asking) AS is_cut,
        groupArrayIf((host, start_ns, took), NOT is_browser) AS all_served
    FROM
    (
        SELECT
            TraceId, toUnixTimestamp64Nano(Timestamp) AS start_ns, toInt64(Duration) AS took,
            ServiceName = 'browser' AS is_browser,
            if(is_browser, SpanId, ParentSpanId) AS id,
            SpanAttributes['farside.type'] AS type,
            SpanAttributes['error.type'] AS failure,
            is_browser AND SpanAttributes['farside.trace_source'] NOT IN ('cached', 'foreign') AS is_asking,
            arrayFirst(said -> said != '', [
                ResourceAttributes['host.name'], ResourceAttributes['host.id'], ResourceAttributes['k8s.pod.name'],
                ResourceAttributes['service.instance.id'], toString(ServiceName)]) AS host
        FROM otel_traces
        WHERE cityHash64(TraceId) % 65536 IN (SELECT cityHash64(arrayJoin({traces:Array(String)})) % 65536)
            AND TraceId IN {traces:Array(String)} AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    )
    WHERE id != ''
    GROUP BY TraceId, id
    HAVING max(is_asking) AND notEmpty(all_served)
)
ARRAY JOIN all_served AS served
ORDER BY client_start_ns
LIMIT {limit:UInt32}
SETTINGS optimize_functions_to_subcolumns = 0, query_plan_merge_expressions = 0
