-- Other origins that pages load from. Fetches are spans and stand on the map as such.
SELECT
    extract(url, '^https?://([^/?#:]+)') AS host,
    sum(ifNull(count, 1)) AS calls,
    quantileExactOrNull(0.75)(duration_ms) AS p75_ms,
    sumIf(ifNull(count, 1), failure != '' OR ifNull(status_code, 0) >= 400) AS errors,
    min(timestamp) AS first_at,
    argMax(view_id, ifNull(duration_ms, 0)) AS view_id
FROM events
WHERE /* scope */ AND (type = 'resource' OR type = 'fetch' AND span_id = '')
    AND url != '' AND NOT startsWith(url, '/') AND host != ''
GROUP BY host
ORDER BY calls DESC, host
LIMIT {limit:UInt32}
