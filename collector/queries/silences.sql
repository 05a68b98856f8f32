-- Silences, each as it was last written, unless it is over.
SELECT id, rule, group_key, starts_at, ends_at, who, why
FROM
(
    SELECT *
    FROM silences
    ORDER BY id, at DESC
    LIMIT 1 BY id
)
WHERE ends_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY ends_at, id
