-- The overview's vitals, their course and the routes' in one pass over the newest reports. Views are first put into small
-- groups (period, slice of time, route), each with an array of values for every vital; these arrays are then joined in three
-- ways, told apart by `mask` (1: by period, 2: by slice, 4: by route). It is what costs least: each view is looked up once.
-- `loss` counts views, under their first vital: 1 if LCP, INP or CLS is poor, a half if one of them needs improvement.
-- `levels` are p50, p75, p90 and what bounds the p75; `effective` is how many equal views would say as much. Where all views
-- stand for equally many (`is_even`), no weights are gathered.
SELECT
    name,
    mask,
    is_now,
    bucket,
    route,
    length(shown) AS n,
    {one_in:UInt32} AS one_in,
    toInt64(unseen) AS hidden,
    if({is_even:UInt8},
        arrayReduce('quantilesExact(0.500000001, 0.750000001, 0.900000001, /* around */)', shown),
        arrayReduce('quantilesExactWeighted(0.500000001, 0.750000001, 0.900000001, /* around */)', shown, standing_for))
        AS levels,
    if({is_even:UInt8}, toFloat64(n), arraySum(standing_for) * arraySum(standing_for) / arraySum(w -> w * w, standing_for))
        AS effective,
    toInt64(fine) AS good,
    toInt64(if({is_even:UInt8}, n * weight, arraySum(standing_for))) - good - poor AS mixed,
    toInt64(bad) AS poor,
    if(name = 'LCP', costs, 0) AS loss,
    if(n < 1000 AND mask != 2,
        arraySort(arrayZip(shown, if({is_even:UInt8}, arrayWithConstant(n, weight), standing_for))), []) AS sample
FROM
(
    SELECT
        multiIf(grouping(is_now) = 0, 1, grouping(bucket) = 0, 2, 4) AS mask,
        is_now,
        bucket,
        route,
        any(each) AS weight,
        groupArrayArrayForEach(seen_values) AS shown,
        groupArrayArrayForEach(seen_weights) AS standing_for,
        sumForEach(unseen_weight) AS unseen,
        sumForEach(fine_weight) AS fine,
        sumForEach(bad_weight) AS bad,
        sum(cost_sum) AS costs
    FROM
    (
        SELECT
            is_now,
            if(is_now AND NOT is_hidden,
                toInt64(floor((toUnixTimestamp64Milli(came_at) - 1 - {split_ms:Int64}) / {step_ms:Float64})), -1) AS bucket,
            if(is_now AND NOT is_hidden, route, '\0') AS route,
            any(weight) AS each,
            groupArrayForEach(seen) AS seen_values,
            groupArrayForEach(if({is_even:UInt8}, [], arrayMap(v -> if(v IS NULL, NULL, weight), seen))) AS seen_weights,
            sumForEach(arrayMap(v -> if(is_hidden AND v IS NOT NULL, weight, 0), told)) AS unseen_weight,
            sumForEach(arrayMap((v, good) -> if(v <= good, weight, 0), seen, {goods:Array(Float64)})) AS fine_weight,
            sumForEach(arrayMap((v, poor) -> if(v > poor, weight, 0), seen, {poors:Array(Float64)})) AS bad_weight,
            sum(weight * cost) AS cost_sum
        FROM
        (
            WITH {goods:Array(Float64)} AS goods, {poors:Array(Float64)} AS poors
            SELECT
                *,
                [lcp, inp, cls, fcp, ttfb] AS told,
                if(is_hidden, CAST([NULL, NULL, NULL, NULL, NULL], 'Array(Nullable(Float64))'), told) AS seen,
                if(is_hidden, 0, toFloat64(greatest(
                    multiIf(lcp > poors[1], 1., lcp > goods[1], 0.5, 0.),
                    multiIf(inp > poors[2], 1., inp > goods[2], 0.5, 0.),
                    multiIf(cls > poors[3], 1., cls > goods[3], 0.5, 0.)))) AS cost
            FROM (/* latest */)
        )
        GROUP BY is_now, bucket, route
    )
    GROUP BY GROUPING SETS ((is_now), (bucket), (route))
)
ARRAY JOIN
    ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] AS name,
    shown,
    if({is_even:UInt8}, [[], [], [], [], []], standing_for) AS standing_for,
    unseen,
    fine,
    bad
WHERE mask != 4 OR name IN ('LCP', 'INP', 'CLS')
