-- How fast views were by the value of each flag: LCP and INP, the newest of each view, and its requests (name 'fetch').
-- Views are told apart by all their flags first, of which there are few combinations; percentiles of these are then put
-- together for each flag. As text, because the engine is slow at telling maps apart.
SELECT
    flag,
    value,
    name,
    sum(rows) AS n,
    quantileExactWeightedMerge(0.750000001)(spread) AS p75,
    if(n < 1000, arraySort(groupArrayMerge(1000)(some)), []) AS sample
FROM
(
    SELECT
        view_flags,
        name,
        count() AS rows,
        quantileExactWeightedState(0.750000001)(measured, weight) AS spread,
        groupArrayState(1000)((measured, weight)) AS some
    FROM
    (
        SELECT view_flags, kind AS name, measured, weight
        FROM
        (
            SELECT
                events.name AS kind,
                any(toJSONString(flags)) AS view_flags,
                any(sample_n) AS weight,
                min(visibility = 'hidden') AS is_hidden,
                assumeNotNull(argMax(events.value, age)) AS measured
            FROM events
            WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND events.value IS NOT NULL AND events.name IN ('LCP', 'INP')
            GROUP BY view_key, kind
        )
        WHERE NOT is_hidden
        UNION ALL
        SELECT toJSONString(flags) AS view_flags, 'fetch' AS name, assumeNotNull(duration_ms) AS measured, sample_n AS weight
        FROM events
        WHERE /* scope */ AND sample_n > 0 AND type = 'fetch' AND duration_ms IS NOT NULL
    )
    GROUP BY view_flags, name
)
ARRAY JOIN mapKeys(JSONExtract(view_flags, 'Map(String, String)')) AS flag, mapValues(JSONExtract(view_flags, 'Map(String, String)')) AS value
GROUP BY flag, value, name
ORDER BY flag, n DESC
LIMIT 24 BY flag
