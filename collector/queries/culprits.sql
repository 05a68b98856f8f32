-- What stands behind a vital: the element, and its address if it has one, of each view's newest report.
SELECT
    target,
    topKWeighted(1)(url, weight)[1] AS url,
    toInt64(sum(weight)) AS views,
    toInt64(sumIf(weight, latest > {poor:Float64})) AS poor,
    count() AS n,
    quantileExactWeighted(0.750000001)(latest, weight) AS p75,
    if(n < 1000, arraySort(groupArray(1000)((latest, weight))), []) AS sample,
    lower(hex(reinterpretAsFixedString(argMax(view, latest)))) AS view_id
FROM
(
    SELECT
        view_key AS view,
        any(sample_n) AS weight,
        argMax(
            (assumeNotNull(events.value), events.target, events.url),
            age) AS newest,
        newest.1 AS latest,
        newest.2 AS target,
        newest.3 AS url
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND name = {vital:String} AND events.value IS NOT NULL
    GROUP BY view
    HAVING NOT min(visibility = 'hidden')
)
WHERE target != ''
GROUP BY target
ORDER BY poor DESC, views DESC, target
LIMIT {limit:UInt32}
