-- Views by value of each flag; `sources`: source → views, and the same in slices of the question's time.
SELECT
    flag,
    value,
    toInt64(sum(n)) AS views,
    sumMap(map(source, n)) AS sources,
    groupArray((slice, source)) AS slice_keys,
    groupArray(n) AS slice_views
FROM
(
    SELECT
        toString(name) AS flag,
        flags[name] AS value,
        flag_sources[name] AS source,
        toInt32(least({slices:Int32} - 1, intDiv((toUnixTimestamp64Milli(received_at) - 1 - {since_ms:Int64})
            * {slices:Int32}, {until_ms:Int64} - {since_ms:Int64}))) AS slice,
        toInt64(sum(sample_n)) AS n
    FROM events
    ARRAY JOIN mapKeys(flags) AS name
    WHERE /* scope */ AND type = 'view'
    GROUP BY flag, value, source, slice
)
GROUP BY flag, value
ORDER BY flag, views DESC
LIMIT {values:UInt32} BY flag
LIMIT {limit:UInt32}
