-- How fast views were by the value of each flag: LCP and INP, the newest of each view, and its requests (name 'fetch').
SELECT
    flag,
    value,
    name,
    count() AS n,
    quantileExactWeighted(0.750000001)(measured, weight) AS p75,
    if(n < 1000, arraySort(groupArray(1000)((measured, weight))), []) AS sample
FROM
(
    SELECT view_flags, kind AS name, measured, weight
    FROM
    (
        SELECT
            view_id,
            events.name AS kind,
            any(flags) AS view_flags,
            any(sample_n) AS weight,
            argMax(visibility, seq) = 'hidden' AS is_hidden,
            assumeNotNull(argMax(events.value, seq * 65536 + toUInt16OrZero(
                substring(event_id, position(event_id, '.') + 1)))) AS measured
        FROM events
        WHERE /* scope */ AND type = 'vital' AND events.value IS NOT NULL AND events.name IN ('LCP', 'INP')
        GROUP BY view_id, kind
    )
    WHERE NOT is_hidden
    UNION ALL
    SELECT flags AS view_flags, 'fetch' AS name, assumeNotNull(duration_ms) AS measured, sample_n AS weight
    FROM events
    WHERE /* scope */ AND type = 'fetch' AND duration_ms IS NOT NULL
)
ARRAY JOIN mapKeys(view_flags) AS flag_name, mapValues(view_flags) AS value
GROUP BY toString(flag_name) AS flag, value, name
ORDER BY flag, n DESC
LIMIT 24 BY flag
