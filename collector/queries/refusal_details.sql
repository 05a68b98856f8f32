-- What was wrong with what the door refused, in its own words: of each outcome the latest, and how often is in `outcomes`.
SELECT
    toString(app) AS app, toString(outcome) AS outcome,
    arrayMap(one -> one.2, arraySlice(arrayReverseSort(groupArray((last_minute, detail))), 1, {limit:UInt32})) AS details
FROM
(
    SELECT app, outcome, detail, max(minute) AS last_minute
    FROM refusal_details
    WHERE app IN ({app:String}, '') AND minute >= toDateTime({since_s:Int64}, 'UTC')
        AND minute <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    GROUP BY app, outcome, detail
)
GROUP BY app, outcome
