-- Each vital over (since, until], split in the period asked about (is_now) and the one before.
-- One row per view and vital first: the newest report of a view counts.
-- quantileExactWeighted takes the lower neighbour where level × weight is whole, quantileExact the upper one; a level
-- a hair higher makes both the same, so that a sample of weight 1 has the p75 everybody else computes.
SELECT
    name,
    is_now,
    countIf(NOT is_hidden) AS n,
    toInt64(sumIf(weight, is_hidden)) AS hidden,
    quantileExactWeightedIf(0.750000001)(latest, weight, NOT is_hidden) AS p75,
    toInt64(sumIf(weight, NOT is_hidden AND latest <= good_up_to)) AS good,
    toInt64(sumIf(weight, NOT is_hidden AND latest > good_up_to AND latest <= poor_beyond)) AS mixed,
    toInt64(sumIf(weight, NOT is_hidden AND latest > poor_beyond)) AS poor,
    if(n < 1000, arraySort(groupArrayIf(1000)((latest, weight), NOT is_hidden)), []) AS sample,
    transform(name, {names:Array(String)}, {goods:Array(Float64)}, 0.) AS good_up_to,
    transform(name, {names:Array(String)}, {poors:Array(Float64)}, 0.) AS poor_beyond
FROM
(
    SELECT
        name,
        view_id,
        received_at > fromUnixTimestamp64Milli({split_ms:Int64}, 'UTC') AS is_now,
        argMax((assumeNotNull(value), sample_n, visibility = 'hidden'), (seq, length(event_id), event_id)) AS newest,
        newest.1 AS latest,
        newest.2 AS weight,
        newest.3 AS is_hidden
    FROM events
    WHERE /* scope */ AND type = 'vital' AND name IN {names:Array(String)} AND value IS NOT NULL
    GROUP BY name, view_id, is_now
)
GROUP BY name, is_now
