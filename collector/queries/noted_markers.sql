-- Moments that Farside noted itself, within the question's time: an alert that began to fire, a setting seen to change.
SELECT kind, name, at, link
FROM
(
    SELECT 'alert' AS kind, if(group_key = '', rule, concat(rule, ': ', group_key)) AS name, at, '' AS link
    FROM flips
    WHERE after = 'firing' AND fired_at = at AND decodeURLComponent(extractURLParameter(question, 'app')) = {app:String}
    UNION ALL
    SELECT
        'config' AS kind,
        arrayStringConcat(arraySlice(arrayFilter(
            key -> before[key] != after[key]
                AND (NOT startsWith(key, 'apps.') OR startsWith(key, concat('apps.', {app:String}, '.'))),
            arrayDistinct(arrayConcat(mapKeys(before), mapKeys(after)))
        ), 1, 3), ', ') AS name,
        at, '' AS link
    FROM audit
    WHERE action = 'settings changed' AND name != ''
)
WHERE at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
ORDER BY at DESC
LIMIT {limit:UInt32}
