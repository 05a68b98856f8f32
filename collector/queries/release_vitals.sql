-- Each vital of two releases over the same hours, for all routes together (route '') and for those with most views.
-- `around` are the quantiles that bound the p75, `effective` how many equal views would say as much.
SELECT
    route,
    name,
    release,
    count() AS n,
    quantilesExactWeighted(0.750000001, /* around */)(value, weight) AS levels,
    levels[1] AS p75,
    arraySlice(levels, 2) AS around,
    sum(weight) * sum(weight) / sum(weight * weight) AS effective,
    if(n < 1000, arraySort(groupArray(1000)((value, weight))), []) AS sample
FROM
(
    SELECT release, name, assumeNotNull(newest) AS value, weight, on_route
    FROM
    (
        SELECT
            any(toString(events.release)) AS release,
            any(toString(events.route)) AS on_route,
            any(sample_n) AS weight,
            argMaxOrNullIf(assumeNotNull(events.value), age, name = 'LCP') AS lcp,
            argMaxOrNullIf(assumeNotNull(events.value), age, name = 'INP') AS inp,
            argMaxOrNullIf(assumeNotNull(events.value), age, name = 'CLS') AS cls,
            argMaxOrNullIf(assumeNotNull(events.value), age, name = 'FCP') AS fcp,
            argMaxOrNullIf(assumeNotNull(events.value), age, name = 'TTFB') AS ttfb
        FROM events
        WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND events.value IS NOT NULL
            AND (events.release = {new:String} AND received_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
                OR events.release = {old:String})
            AND positiveModulo(toUnixTimestamp64Milli(received_at) - {from_ms:Int64}, 86400000) <= {length_ms:Int64}
        GROUP BY view_key
        HAVING NOT min(visibility = 'hidden')
    )
    ARRAY JOIN ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] AS name, [lcp, inp, cls, fcp, ttfb] AS newest
    WHERE newest IS NOT NULL
)
ARRAY JOIN ['', on_route] AS route
WHERE route = '' OR route IN
(
    SELECT toString(route)
    FROM events
    WHERE /* scope */ AND type = 'view' AND route != '' AND events.release = {new:String}
    GROUP BY route
    ORDER BY count() DESC
    LIMIT {routes:UInt32}
)
GROUP BY route, name, release
ORDER BY sum(n) OVER (PARTITION BY route) DESC, route, name, release
