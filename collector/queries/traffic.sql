-- Views, requests and errors of each route.
SELECT
    toString(route) AS route,
    sumIf(toInt64(sample_n), type = 'view') AS views,
    sumIf(toInt64(sample_n), type = 'fetch') AS requests,
    sumIf(toInt64(sample_n) * ifNull(count, 1), type = 'error') AS errors
FROM events
WHERE /* scope */ AND type IN ('view', 'fetch', 'error')
GROUP BY route
