-- Part of `measure`: one row per view that reported the vital, with its newest report; the rules are those of latest.sql.
WITH events.seq * 65536 + toUInt16OrZero(substring(events.event_id, position(events.event_id, '.') + 1)) AS age
SELECT
    /* keys */
    max(events.received_at) AS came_at,
    toUInt64(any(events.sample_n)) AS weight,
    max(events.user_id) AS user,
    true AS unit,
    toFloat64(assumeNotNull(/* value */)) AS v
FROM events
WHERE /* scope */ AND sample_n > 0 AND events.type = 'vital' AND events.value IS NOT NULL
GROUP BY reinterpretAsUInt128(unhex(events.view_id))
HAVING argMax(events.visibility, events.seq) != 'hidden' AND isNotNull(/* value */)
