-- What a page's LCP is made of: the median of each part, of the slowest quarter of views and of the others.
SELECT
    is_slow,
    count() AS n,
    quantileExactWeighted(0.5)(latest, weight) AS lcp,
    quantileExactWeighted(0.5)(ttfb, weight) AS ttfb_ms,
    quantileExactWeighted(0.5)(load_delay, weight) AS load_delay_ms,
    quantileExactWeighted(0.5)(load, weight) AS load_ms,
    quantileExactWeighted(0.5)(render_delay, weight) AS render_delay_ms
FROM
(
    SELECT
        view_key AS view,
        any(sample_n) AS weight,
        argMax((assumeNotNull(events.value), phases), age)
            AS newest,
        newest.1 AS latest,
        toFloat64(newest.2['ttfb_ms']) AS ttfb,
        toFloat64(newest.2['load_delay_ms']) AS load_delay,
        toFloat64(newest.2['load_ms']) AS load,
        toFloat64(newest.2['render_delay_ms']) AS render_delay,
        latest >= {slow_from:Float64} AS is_slow
    FROM events
    WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND name = 'LCP' AND events.value IS NOT NULL AND notEmpty(phases)
    GROUP BY view
    HAVING NOT min(visibility = 'hidden')
)
GROUP BY is_slow
ORDER BY is_slow
