-- The overview's vitals, their course and the routes' in one pass over the newest reports: three groupings of the same
-- rows, told apart by `mask` (1: name and period, 2: name and slice of time, 4: name and route). `cost` is what a view
-- costs its route, carried by its first vital: 1 if LCP, INP or CLS is poor, a half if one of them needs improvement.
-- `levels` are p50, p75, p90 and what bounds the p75; `effective` is how many equal views would say as much.
SELECT
    name,
    multiIf(grouping(is_now) = 0, 1, grouping(bucket) = 0, 2, 4) AS mask,
    is_now,
    bucket,
    route,
    countIf(is_seen) AS n,
    {one_in:UInt32} AS one_in,
    toInt64(sumIf(weight, is_hidden AND is_told)) AS hidden,
    quantilesExactWeightedIf(0.500000001, 0.750000001, 0.900000001, /* around */)(newest, weight, is_seen) AS levels,
    sumIf(weight, is_seen) * sumIf(weight, is_seen) / sumIf(weight * weight, is_seen) AS effective,
    toInt64(sumIf(weight, is_seen AND newest <= good_up_to)) AS good,
    toInt64(sumIf(weight, is_seen AND newest > good_up_to AND newest <= poor_beyond)) AS mixed,
    toInt64(sumIf(weight, is_seen AND newest > poor_beyond)) AS poor,
    sum(weight * cost) AS loss,
    if(n < 1000 AND mask != 2, arraySort(groupArrayIf(1000)((newest, weight), is_seen)), []) AS sample
FROM
(
    SELECT
        name,
        is_now,
        if(is_now AND NOT is_hidden,
            toInt64(floor((toUnixTimestamp64Milli(came_at) - 1 - {split_ms:Int64}) / {step_ms:Float64})), -1) AS bucket,
        if(is_now AND NOT is_hidden AND name IN ('LCP', 'INP', 'CLS'), route, '\0') AS route,
        weight,
        is_hidden,
        value IS NOT NULL AS is_told,
        is_told AND NOT is_hidden AS is_seen,
        ifNull(value, 0) AS newest,
        if(is_hidden OR name != 'LCP', 0, toFloat64(greatest(
            multiIf(lcp > poors[1], 1., lcp > goods[1], 0.5, 0.),
            multiIf(inp > poors[2], 1., inp > goods[2], 0.5, 0.),
            multiIf(cls > poors[3], 1., cls > goods[3], 0.5, 0.)))) AS cost,
        good_up_to,
        poor_beyond
    FROM
    (
        WITH {goods:Array(Float64)} AS goods, {poors:Array(Float64)} AS poors
        SELECT *, goods, poors FROM (/* latest */)
    )
    ARRAY JOIN
        ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] AS name,
        [lcp, inp, cls, fcp, ttfb] AS value,
        goods AS good_up_to,
        poors AS poor_beyond
)
GROUP BY GROUPING SETS ((name, is_now), (name, bucket), (name, route))
