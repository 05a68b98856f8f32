-- For each dimension (its number from 1) the values with which one group was met most.
SELECT nr, value, toInt64(sum(weight)) AS times, uniqExact(view_key) AS views
FROM
(
    SELECT
        [toString(events.release), toString(events.route), toString(events.browser), toString(events.os),
         toString(events.device), toString(events.country)] AS found,
        view_key,
        sample_n * ifNull(count, 1) AS weight
    FROM events
    WHERE /* scope */ AND type = 'error' AND fingerprint = {fingerprint:String}
)
ARRAY JOIN found AS value, arrayEnumerate(found) AS nr
GROUP BY nr, value
ORDER BY nr, times DESC, value
LIMIT {limit:UInt32} BY nr
