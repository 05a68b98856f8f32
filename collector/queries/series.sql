-- Each vital in slices of time; one value per view and vital, in the slice in which its newest report came.
SELECT
    name,
    toInt64(floor((toUnixTimestamp64Milli(came_at) - 1 - {since_ms:Int64}) / {step_ms:Float64})) AS bucket,
    quantileExactWeighted(0.500000001)(latest, weight) AS p50,
    quantileExactWeighted(0.750000001)(latest, weight) AS p75,
    quantileExactWeighted(0.900000001)(latest, weight) AS p90,
    count() AS n
FROM
(
    SELECT
        name,
        view_id,
        argMax((assumeNotNull(value), sample_n, visibility = 'hidden', received_at), (seq, length(event_id), event_id))
            AS newest,
        newest.1 AS latest,
        newest.2 AS weight,
        newest.4 AS came_at
    FROM events
    WHERE /* scope */ AND type = 'vital' AND name IN {names:Array(String)} AND value IS NOT NULL
    GROUP BY name, view_id
    HAVING NOT newest.3
)
GROUP BY name, bucket
ORDER BY name, bucket
