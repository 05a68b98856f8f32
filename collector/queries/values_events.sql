-- Part of `measure`: one row per event.
SELECT
    /* keys */
    events.received_at AS came_at,
    toUInt64(events.sample_n) AS weight,
    events.user_id AS user,
    true AS unit,
    toFloat64(assumeNotNull(/* value */)) AS v
FROM events /* joined */
WHERE /* scope */ AND sample_n > 0 AND /* types */ AND isNotNull(/* value */)
