-- Views, and views that met an error, of two releases over the same hours: for all routes (route '') and the largest.
SELECT route, release, count() AS views, countIf(has_failed) AS failed
FROM
(
    SELECT
        any(toString(events.release)) AS release,
        any(toString(events.route)) AS on_route,
        countIf(type = 'error') > 0 AS has_failed,
        countIf(type = 'view') > 0 AS is_seen
    FROM events
    WHERE /* scope */ AND type IN ('view', 'error')
        AND (events.release = {new:String} AND received_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
            OR events.release = {old:String})
        AND positiveModulo(toUnixTimestamp64Milli(received_at) - {from_ms:Int64}, 86400000) <= {length_ms:Int64}
    GROUP BY view_key
)
ARRAY JOIN ['', on_route] AS route
WHERE is_seen
GROUP BY route, release
ORDER BY sum(views) OVER (PARTITION BY route) DESC, route, release
LIMIT {routes:UInt32} * 2
