-- Part of `measure`: one row per view (or session, or user), with what was counted in it. A view whose beginning lies
-- outside the window adds to the amount but is no unit; conditions on single events restrict only what is counted.
WITH /* counted */ AS is_counted
SELECT
    /* keys */
    /* came */ AS came_at,
    toUInt64(/* weight */) AS weight,
    max(events.user_id) AS user,
    /* unit */ AS unit,
    toFloat64(/* value */) AS v
FROM events
WHERE /* scope */ AND events.sample_n > 0 AND /* types */
GROUP BY /* by */
