-- Part of `measure`: one row per view that reported the vital, with its newest report; the rules are those of latest.sql.
SELECT
    /* keys */
    max(events.received_at) AS came_at,
    toUInt64(any(events.sample_n)) AS weight,
    max(events.user_id) AS user,
    true AS unit,
    toFloat64(assumeNotNull(/* value */)) AS v
FROM events
WHERE /* scope */ AND sample_n > 0 AND events.type = 'vital' AND events.value IS NOT NULL
GROUP BY events.view_key
HAVING NOT min(events.visibility = 'hidden') AND isNotNull(/* value */)
