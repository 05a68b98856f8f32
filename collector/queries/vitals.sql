-- Each vital over (since, until], split in the period asked about (is_now) and the one before.
-- A level a hair above 0.75 gives the p75 everybody else computes (`weights.py`).
SELECT
    name,
    is_now,
    countIf(NOT is_hidden) AS n,
    {one_in:UInt32} AS one_in,
    toInt64(sumIf(weight, is_hidden)) AS hidden,
    quantilesExactWeightedIf(0.750000001, /* around */)(latest, weight, NOT is_hidden) AS levels,
    levels[1] AS p75,
    arraySlice(levels, 2) AS around,
    sumIf(weight, NOT is_hidden) * sumIf(weight, NOT is_hidden) / sumIf(weight * weight, NOT is_hidden) AS effective,
    toInt64(sumIf(weight, NOT is_hidden AND latest <= good_up_to)) AS good,
    toInt64(sumIf(weight, NOT is_hidden AND latest > good_up_to AND latest <= poor_beyond)) AS mixed,
    toInt64(sumIf(weight, NOT is_hidden AND latest > poor_beyond)) AS poor,
    if(n < 1000, arraySort(groupArrayIf(1000)((latest, weight), NOT is_hidden)), []) AS sample
FROM
(
    SELECT name, is_now, is_hidden, weight, assumeNotNull(value) AS latest, good_up_to, poor_beyond
    FROM (/* latest */)
    ARRAY JOIN
        ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] AS name,
        [lcp, inp, cls, fcp, ttfb] AS value,
        {goods:Array(Float64)} AS good_up_to,
        {poors:Array(Float64)} AS poor_beyond
    WHERE value IS NOT NULL
)
GROUP BY name, is_now
