-- One vital by each of a few dimensions: their most frequent values, each with its p75.
SELECT
    dimension,
    item,
    toInt64(sum(weight)) AS views,
    toInt64(sumIf(weight, latest > {poor:Float64})) AS poor,
    count() AS n,
    quantileExactWeighted(0.750000001)(latest, weight) AS p75,
    if(n < 1000, arraySort(groupArray(1000)((latest, weight))), []) AS sample
FROM
(
    SELECT
        view_key AS view,
        any(sample_n) AS weight,
        argMax(assumeNotNull(events.value), age)
            AS latest,
        toString(any(events.device)) AS device,
        toString(any(events.browser)) AS browser,
        toString(any(events.country)) AS country,
        toString(any(events.connection)) AS connection,
        toString(any(events.release)) AS release
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND name = {vital:String} AND events.value IS NOT NULL
    GROUP BY view
    HAVING NOT min(visibility = 'hidden')
)
ARRAY JOIN
    ['device', 'browser', 'country', 'connection', 'release'] AS dimension,
    [device, browser, country, connection, release] AS item
GROUP BY dimension, item
ORDER BY dimension, views DESC, item
LIMIT {limit:UInt32} BY dimension
