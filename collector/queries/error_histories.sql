-- In which releases each group was met, over everything that is kept up to the question's end.
SELECT
    fingerprint,
    toString(release) AS release,
    min(received_at) AS began_at,
    max(received_at) AS ended_at,
    toInt64(sum(sample_n * ifNull(count, 1))) AS times
FROM events
WHERE app = {app:String} AND type = 'error' AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND fingerprint IN {fingerprints:Array(String)}
GROUP BY fingerprint, release
ORDER BY fingerprint, began_at
LIMIT 100 BY fingerprint
