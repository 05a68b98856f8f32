-- What the door refused of an app, and what it could not tell the app of, since a minute.
SELECT toString(app) AS app, toString(outcome) AS outcome, toInt64(sum(n)) AS events, max(minute) AS last_minute
FROM outcomes
WHERE app IN ({app:String}, '') AND outcome != 'stored' AND minute >= toDateTime({since_s:Int64}, 'UTC')
    AND minute <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY app, outcome
ORDER BY last_minute DESC, events DESC
