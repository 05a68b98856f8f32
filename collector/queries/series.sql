-- Each vital in slices of time: one value per view, in the slice in which its newest report came.
SELECT
    name,
    bucket,
    quantilesExactWeighted(0.500000001, 0.750000001, 0.900000001)(latest, weight) AS levels,
    levels[1] AS p50,
    levels[2] AS p75,
    levels[3] AS p90,
    count() AS n
FROM
(
    SELECT
        name,
        toInt64(floor((toUnixTimestamp64Milli(came_at) - 1 - {since_ms:Int64}) / {step_ms:Float64})) AS bucket,
        weight,
        assumeNotNull(value) AS latest
    FROM (/* latest */)
    ARRAY JOIN ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] AS name, [lcp, inp, cls, fcp, ttfb] AS value
    WHERE value IS NOT NULL AND NOT is_hidden
)
GROUP BY name, bucket
ORDER BY name, bucket
