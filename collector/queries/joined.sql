-- How many requests were joined, and why the others were not: over time, by route, and by who answers. They are counted by all
-- of these first, because whether others of the same kind were joined, which tells `lost` from `dark`, is asked of few rows then.
SELECT
    multiIf(grouping(bucket) = 0, 'time', grouping(route) = 0, 'route', grouping(backend) = 0, 'backend', 'all') AS what,
    if(what = 'time', toString(bucket), if(what = 'route', route, if(what = 'backend', backend, ''))) AS which,
    reason,
    sum(requests) AS n,
    sum(timed) AS timed,
    sum(asked) AS asked_ms,
    sum(served) AS served_ms
FROM
(
    SELECT
        bucket, route, backend, requests, timed, asked, served,
        if(known = 'dark' AND max(known = '') OVER (PARTITION BY host, endpoint, type), 'lost', known) AS reason
    FROM
    (
        SELECT
            hop.reason AS known, hop.route AS route, hop.host AS host, hop.endpoint AS endpoint, hop.type AS type,
            if(hop.answered_by != '', hop.answered_by, hop.host) AS backend,
            toUInt16(least({buckets:UInt16} - 1, floor(
                (toUnixTimestamp64Milli(hop.received_at) - {since_ms:Int64}) / {step_ms:Float64}))) AS bucket,
            count() AS requests,
            countIf(hop.type = 'fetch' AND hop.server_ms IS NOT NULL AND hop.duration_ms IS NOT NULL) AS timed,
            sumIf(hop.duration_ms, hop.server_ms IS NOT NULL AND hop.type = 'fetch') AS asked,
            sumIf(least(hop.server_ms, hop.duration_ms), hop.server_ms IS NOT NULL AND hop.type = 'fetch') AS served
        FROM (/* hops */) AS hop
        GROUP BY known, route, host, endpoint, type, backend, bucket
    )
)
GROUP BY GROUPING SETS ((reason), (bucket, reason), (route, reason), (backend, reason))
ORDER BY what, which, n DESC, reason
