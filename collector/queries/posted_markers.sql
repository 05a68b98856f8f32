-- Markers that CI or people posted, within the question's time; one that is posted again stands once.
SELECT toString(kind) AS kind, name, at, argMax(markers.link, posted_at) AS link
FROM markers
WHERE app = {app:String} AND kind != ''
    AND at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY kind, name, at
ORDER BY at DESC
LIMIT {limit:UInt32}
