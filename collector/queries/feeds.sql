-- Infinite scrolls by name: how much they ask for, how often they ask again before the page has grown, and how long
-- the reader waits for it.
SELECT *
FROM
(
    WITH assumeNotNull(duration_ms) AS paint, assumeNotNull(stall_ms) AS stall, sample_n AS weight
    SELECT
        name,
        toInt64(sum(sample_n)) AS loads,
        count() AS n,
        uniqExact(view_key) AS views,
        n / views AS loads_per_view,
        toInt64(sumIf(sample_n, burst > 1)) AS bursts,
        toInt64(ifNull(max(burst), 0)) AS worst_burst,
        toInt64(sumIf(sample_n, duplicates > 0)) AS duplicates,
        toInt64(sumIf(sample_n, failure != '' OR ifNull(status_code, 0) >= 400)) AS failures,
        toInt64(sumIf(sample_n, ifNull(abandoned, 0))) AS abandoned,
        countIf(duration_ms IS NOT NULL) AS paint_n,
        ifNull(quantileExactWeightedIf(0.750000001)(paint, weight, duration_ms IS NOT NULL), 0) AS paint_p75,
        if(paint_n BETWEEN 1 AND 999, arraySort(groupArrayIf(1000)((paint, weight), duration_ms IS NOT NULL)), [])
            AS paint_sample,
        countIf(stall_ms IS NOT NULL) AS stall_n,
        ifNull(quantileExactWeightedIf(0.750000001)(stall, weight, stall_ms IS NOT NULL), 0) AS stall_p75,
        if(stall_n BETWEEN 1 AND 999, arraySort(groupArrayIf(1000)((stall, weight), stall_ms IS NOT NULL)), [])
            AS stall_sample,
        toInt64(ifNull(max(batch), 0)) AS deepest_batch
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type = 'feed'
    GROUP BY name
) AS feeds
LEFT JOIN
(
    SELECT
        name,
        count() AS depth_n,
        quantileExactWeighted(0.750000001)(depth, weight) AS depth_p75,
        if(depth_n < 1000, arraySort(groupArray(1000)((depth, weight))), []) AS depth_sample
    FROM
    (
        SELECT name, toFloat64(max(assumeNotNull(depth_px))) AS depth, any(sample_n) AS weight
        FROM events
        WHERE /* scope */ AND sample_n > 0 AND type = 'feed' AND depth_px IS NOT NULL
        GROUP BY name, view_key
    )
    GROUP BY name
) AS depths USING (name)
ORDER BY bursts DESC, loads DESC, name
LIMIT {limit:UInt32}
