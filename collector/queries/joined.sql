-- How many requests were joined, and why the others were not: over time, by route, and by who answers.
SELECT
    multiIf(grouping(bucket) = 0, 'time', grouping(route) = 0, 'route', grouping(backend) = 0, 'backend', 'all') AS what,
    if(what = 'time', toString(bucket), if(what = 'route', route, if(what = 'backend', backend, ''))) AS which,
    reason,
    count() AS n,
    sum(server_ms IS NOT NULL AND duration_ms IS NOT NULL AND type = 'fetch') AS timed,
    sumIf(duration_ms, server_ms IS NOT NULL AND type = 'fetch') AS asked_ms,
    sumIf(least(server_ms, duration_ms), server_ms IS NOT NULL AND type = 'fetch') AS served_ms
FROM
(
    SELECT
        hop.reason AS reason, hop.route AS route, hop.type AS type, hop.duration_ms AS duration_ms,
        hop.server_ms AS server_ms,
        if(hop.answered_by != '', hop.answered_by, hop.host) AS backend,
        toUInt16(least({buckets:UInt16} - 1, floor(
            (toUnixTimestamp64Milli(hop.received_at) - {since_ms:Int64}) / {step_ms:Float64}))) AS bucket
    FROM (/* hops */) AS hop
)
GROUP BY GROUPING SETS ((reason), (bucket, reason), (route, reason), (backend, reason))
ORDER BY what, which, n DESC, reason
