-- Views of each release in slices of {slice_ms} from {from_ms} on, and when each was first seen, as far as is kept.
SELECT name AS release, toInt64(sum(n)) AS views, sumMap(map(slice, n)) AS slices, any(first_at) AS began_at
FROM
(
    SELECT
        toString(release) AS name,
        toInt32(intDiv(toUnixTimestamp64Milli(received_at) - 1 - {from_ms:Int64}, {slice_ms:Int64})) AS slice,
        toInt64(sum(sample_n)) AS n
    FROM events
    WHERE /* scope */ AND type = 'view'
    GROUP BY name, slice
) AS seen
LEFT JOIN
(
    SELECT toString(release) AS name, min(received_at) AS first_at
    FROM events
    WHERE app = {app:String} AND type = 'view' AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    GROUP BY name
) AS begun USING name
GROUP BY release
ORDER BY views DESC
LIMIT {limit:UInt32}
