-- Requests for each view by type of page, which is its route, and by what caused them.
SELECT
    route,
    toInt64(sum(weight * is_view)) AS views,
    toInt64(sum(weight * requests)) AS total,
    toInt64(sum(weight * load)) AS load,
    toInt64(sum(weight * scroll)) AS scroll,
    toInt64(sum(weight * input)) AS input,
    toInt64(sum(weight * timer)) AS timer,
    quantilesExactWeighted(0.5, 0.95)(requests, weight) AS levels,
    toInt64(levels[1]) AS p50,
    toInt64(levels[2]) AS p95
FROM
(
    SELECT
        view_key AS view,
        toString(any(events.route)) AS route,
        any(sample_n) AS weight,
        max(type = 'view') AS is_view,
        countIf(type = 'fetch') AS requests,
        countIf(type = 'fetch' AND cause IN ('load', 'navigation')) AS load,
        countIf(type = 'fetch' AND cause = 'scroll') AS scroll,
        countIf(type = 'fetch' AND cause IN ('click', 'key')) AS input,
        countIf(type = 'fetch' AND cause = 'timer') AS timer
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type IN ('view', 'fetch')
    GROUP BY view
)
GROUP BY route
HAVING views > 0
ORDER BY total / views DESC, total DESC, route
LIMIT {limit:UInt32}
