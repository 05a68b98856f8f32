-- Who took on what, the first of each episode.
SELECT rule, group_key, fired_at, who, at
FROM acknowledgements
WHERE fired_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY rule, group_key, fired_at, at
LIMIT 1 BY rule, group_key, fired_at
