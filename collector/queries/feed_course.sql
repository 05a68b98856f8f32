-- Feed loads in slices of time: those asked for once, and those asked for again before the page had grown.
SELECT
    toInt64(floor((toUnixTimestamp64Milli(received_at) - 1 - {since_ms:Int64}) / {step_ms:Float64})) AS bucket,
    toInt64(sum(sample_n)) AS loads,
    toInt64(sumIf(sample_n, burst > 1)) AS bursts
FROM events
WHERE /* scope */ AND sample_n > 0 AND type = 'feed'
GROUP BY bucket
ORDER BY bucket
