-- Feed loads by the number of their batch; all from the last number on are told as one.
SELECT
    name,
    least(assumeNotNull(batch), {last:UInt32}) AS nr,
    toInt64(sum(sample_n)) AS loads,
    toInt64(uniqExact(view_key)) AS views,
    toInt64(sumIf(sample_n, burst > 1)) AS bursts,
    toInt64(sumIf(sample_n, ifNull(abandoned, 0))) AS abandoned,
    toInt64(sumIf(sample_n, failure != '' OR ifNull(status_code, 0) >= 400)) AS failures,
    countIf(duration_ms IS NOT NULL) AS paint_n,
    quantilesExactWeightedIf(0.500000001, 0.750000001, 0.950000001)
        (assumeNotNull(duration_ms), sample_n, duration_ms IS NOT NULL) AS paint,
    countIf(stall_ms IS NOT NULL) AS stall_n,
    quantilesExactWeightedIf(0.500000001, 0.750000001, 0.950000001)
        (assumeNotNull(stall_ms), sample_n, stall_ms IS NOT NULL) AS stall
FROM events
WHERE /* scope */ AND sample_n > 0 AND type = 'feed' AND batch IS NOT NULL AND batch > 0
GROUP BY name, nr
ORDER BY name, nr
