-- The page's own assets: of each view the slowest, the largest and the failed are told. What a cache gave has no bytes, and
-- is left out of what an asset weighs.
SELECT
    asset,
    topKWeighted(1)(toString(initiator), sample_n)[1] AS initiator,
    toInt64(sum(sample_n)) AS times,
    toInt64(uniqExact(view)) AS views,
    toInt64(sum(sample_n * ifNull(bytes, 0))) AS total_bytes,
    toInt64(quantileExactWeightedIf(0.5)(ifNull(bytes, 0), sample_n, bytes > 0)) AS p50_bytes,
    toInt64(sumIf(sample_n, failure != '' OR ifNull(status_code, 0) >= 400)) AS failures,
    countIf(duration_ms IS NOT NULL) AS n,
    ifNull(quantileExactWeightedIf(0.750000001)(assumeNotNull(duration_ms), sample_n, duration_ms IS NOT NULL), 0) AS p75,
    if(n BETWEEN 1 AND 999,
        arraySort(groupArrayIf(1000)((assumeNotNull(duration_ms), sample_n), duration_ms IS NOT NULL)), []) AS sample,
    argMax(view, ifNull(duration_ms, 0)) AS view_id
FROM
(
    SELECT
        events.view_id AS view, initiator, sample_n, bytes, failure, status_code, duration_ms,
        if(endpoint = '', url, toString(endpoint)) AS asset
    FROM events
    WHERE /* scope */ AND type = 'resource' AND initiator != 'third-party'
        AND (url NOT LIKE 'http%' OR extract(url, '^https?://([^/?#:]+)') = extract(toString(origin), '^https?://([^/?#:]+)'))
)
WHERE asset != ''
GROUP BY asset
ORDER BY total_bytes DESC, times DESC, asset
LIMIT {limit:UInt32}
