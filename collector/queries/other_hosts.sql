-- Other hosts whose assets were loaded, and the time their scripts held up the page in long frames. A third party's
-- assets of one beacon come as one event, with their count; times are sums. `domain()` knows no host without a dot.
SELECT
    host,
    toInt64(sum(if(type = 'resource', sample_n, 0) * ifNull(count, 1))) AS assets,
    toInt64(sum(seen)) AS views,
    toInt64(sum(if(type = 'resource', sample_n, 0) * ifNull(size, 0))) AS total_bytes,
    toInt64(sum(if(is_failed, sample_n * ifNull(count, 1), 0))) AS failures,
    countIf(type = 'resource' AND took IS NOT NULL) AS n,
    ifNull(quantileExactWeightedIf(0.750000001)(assumeNotNull(took), sample_n, type = 'resource' AND took IS NOT NULL), 0) AS p75,
    if(n BETWEEN 1 AND 999,
        arraySort(groupArrayIf(1000)((assumeNotNull(took), sample_n), type = 'resource' AND took IS NOT NULL)), []) AS sample,
    toInt64(sumIf(sample_n, type = 'longframe')) AS frames,
    sumIf(sample_n * ifNull(blocked, 0), type = 'longframe') AS blocking_ms
FROM
(
    SELECT
        extract(url, '^https?://([^/?#:]+)') AS host, type, sample_n, count, bytes AS size, duration_ms AS took, value AS blocked,
        -- A page hears that a script or picture of another host failed, and the browser does not tell with what status.
        if(type = 'resource', failure != '' OR ifNull(status_code, 0) >= 400, type = 'error') AS is_failed,
        if(type = 'resource' AND row_number() OVER (PARTITION BY extract(url, '^https?://([^/?#:]+)'), view_id, type ORDER BY event_id) = 1, sample_n, 0)
            AS seen
    FROM events
    WHERE /* scope */ AND (type IN ('resource', 'longframe') OR type = 'error' AND name = 'resource')
        AND url LIKE 'http%' AND extract(url, '^https?://([^/?#:]+)') != extract(toString(origin), '^https?://([^/?#:]+)')
)
WHERE host != ''
GROUP BY host
ORDER BY total_bytes DESC, assets DESC, host
LIMIT {limit:UInt32}
