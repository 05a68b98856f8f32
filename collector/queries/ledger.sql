-- The ledger of one app over time: how many events ended how, by slice; and what the door could not tell the app of.
SELECT
    app, outcome, bucket, toInt64(sum(n)) AS events, max(minute) AS last_minute
FROM
(
    SELECT
        toString(app) AS app, toString(outcome) AS outcome, n, minute,
        toInt64(floor((toUnixTimestamp(minute) * 1000 - {since_ms:Int64}) / {step_ms:Float64})) AS bucket
    FROM outcomes
    WHERE app IN ({app:String}, '') AND minute >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') - INTERVAL 59 SECOND
        AND minute <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
)
GROUP BY app, outcome, bucket
ORDER BY app, outcome, bucket
