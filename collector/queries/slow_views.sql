-- The views whose newest report of a vital is the slowest, each with the way to its trace.
SELECT
    lower(hex(reinterpretAsFixedString(view))) AS view_id,
    latest AS value,
    newest.2 AS timestamp,
    newest.3 AS path,
    newest.4 AS trace_id,
    newest.5 AS user_id,
    newest.6 AS browser,
    newest.7 AS device,
    newest.8 AS country,
    newest.9 AS target
FROM
(
    SELECT
        view_key AS view,
        argMax(
            (assumeNotNull(events.value), events.timestamp, events.path, events.trace_id, events.user_id,
                toString(events.browser), toString(events.device), toString(events.country), events.target),
            age) AS newest,
        newest.1 AS latest
    FROM events
    WHERE /* scope */ AND type = 'vital' AND name = {vital:String} AND events.value IS NOT NULL
    GROUP BY view
    HAVING NOT min(visibility = 'hidden')
    ORDER BY latest DESC
    LIMIT {limit:UInt32}
)
ORDER BY latest DESC, view_id
