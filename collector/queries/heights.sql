-- Requests for each view, by route and height of the viewport. `squares` is what the spread of a ratio is told from.
SELECT
    route,
    toUInt16(arrayMax(arrayFilter(edge -> edge <= height, {edges:Array(UInt16)}))) AS edge,
    toInt64(sum(weight * is_view)) AS views,
    count() AS n,
    toInt64(sum(weight * requests)) AS total,
    sum(toFloat64(weight) * requests * requests) AS squares,
    sum(toFloat64(weight)) AS weights,
    sum(toFloat64(weight) * weight) AS weights_squared,
    toInt64(max(requests)) AS most,
    lower(hex(reinterpretAsFixedString(argMax(view, (requests, view))))) AS view_id
FROM
(
    SELECT
        view_key AS view,
        toString(any(events.route)) AS route,
        any(viewport_height) AS height,
        any(sample_n) AS weight,
        max(type = 'view') AS is_view,
        countIf(type = 'fetch') AS requests
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type IN ('view', 'fetch') AND viewport_height > 0
    GROUP BY view
)
GROUP BY route, edge
HAVING views > 0
ORDER BY route, edge
