-- Of the views whose newest report of a vital is beyond a limit, the one nearest to their median; with a trace if any has.
WITH slow AS
(
    SELECT
        any(events.view_id) AS view_id,
        any(events.trace_id) AS own_trace,
        argMaxIf(value, age, name = {vital:String}) AS newest
    FROM events
    WHERE /* scope */ AND type = 'vital' AND value IS NOT NULL
    GROUP BY view_key
    HAVING NOT min(visibility = 'hidden') AND newest > {limit:Float64}
)
SELECT view_id, own_trace AS trace_id, toFloat64(assumeNotNull(newest)) AS shown
FROM slow
ORDER BY own_trace = '', abs(shown - (SELECT quantileExact(0.5)(assumeNotNull(newest)) FROM slow)), view_id
LIMIT 1
