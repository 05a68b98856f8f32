-- Routes, those that cost most first. A view costs 1 if its LCP, INP or CLS is poor and a half if one of them needs
-- improvement; `loss` is the sum over the route's views, so it grows with traffic and with slowness.
SELECT
    route,
    toInt64(sum(part_views)) AS views,
    toInt64(sum(part_requests)) AS requests,
    toInt64(sum(part_errors)) AS errors,
    sum(part_loss) AS loss,
    sum(part_lcp_n) AS lcp_n,
    sum(part_lcp_p75) AS lcp_p75,
    groupArrayArray(part_lcp_sample) AS lcp_sample,
    sum(part_inp_n) AS inp_n,
    sum(part_inp_p75) AS inp_p75,
    groupArrayArray(part_inp_sample) AS inp_sample
FROM
(
    SELECT
        toString(route) AS route,
        sumIf(toInt64(sample_n), type = 'view') AS part_views,
        sumIf(toInt64(sample_n), type = 'fetch') AS part_requests,
        sumIf(toInt64(sample_n) * ifNull(count, 1), type = 'error') AS part_errors,
        toFloat64(0) AS part_loss,
        toUInt64(0) AS part_lcp_n,
        toFloat64(0) AS part_lcp_p75,
        CAST([], 'Array(Tuple(Float64, UInt16))') AS part_lcp_sample,
        toUInt64(0) AS part_inp_n,
        toFloat64(0) AS part_inp_p75,
        CAST([], 'Array(Tuple(Float64, UInt16))') AS part_inp_sample
    FROM events
    WHERE /* scope */ AND type IN ('view', 'fetch', 'error')
    GROUP BY route

    UNION ALL

    SELECT
        route,
        toInt64(0), toInt64(0), toInt64(0),
        sum(weight * greatest(
            multiIf(lcp > {lcp_poor:Float64}, 1., lcp > {lcp_good:Float64}, 0.5, 0.),
            multiIf(inp > {inp_poor:Float64}, 1., inp > {inp_good:Float64}, 0.5, 0.),
            multiIf(cls > {cls_poor:Float64}, 1., cls > {cls_good:Float64}, 0.5, 0.))) AS part_loss,
        countIf(lcp IS NOT NULL) AS part_lcp_n,
        ifNull(quantileExactWeightedIf(0.750000001)(assumeNotNull(lcp), weight, lcp IS NOT NULL), 0.) AS part_lcp_p75,
        if(part_lcp_n < 1000, arraySort(groupArrayIf(1000)((assumeNotNull(lcp), weight), lcp IS NOT NULL)), [])
            AS part_lcp_sample,
        countIf(inp IS NOT NULL) AS part_inp_n,
        ifNull(quantileExactWeightedIf(0.750000001)(assumeNotNull(inp), weight, inp IS NOT NULL), 0.) AS part_inp_p75,
        if(part_inp_n < 1000, arraySort(groupArrayIf(1000)((assumeNotNull(inp), weight), inp IS NOT NULL)), [])
            AS part_inp_sample
    FROM (/* latest */)
    WHERE NOT is_hidden
    GROUP BY route
)
GROUP BY route
ORDER BY loss DESC, errors DESC, views DESC, route
LIMIT {limit:UInt32}
