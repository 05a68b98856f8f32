-- Error groups: one per fingerprint, the most frequent first, told by the newest of each. What was only seen in tails
-- (`sample_n` 0: the sampled sessions speak for them) happened at least as often as it was seen.
SELECT
    fingerprint,
    toInt64(greatest(sum(sample_n * ifNull(count, 1)), sum(ifNull(count, 1)))) AS times,
    uniqExact(view_key) AS views,
    uniqExactIf(user_id, user_id != '') AS users,
    uniqExact(session_id) AS sessions,
    max(timestamp) AS last_seen,
    argMax(
        (name, toString(events.error_type), events.message, toString(events.route), events.view_id, events.event_id),
        (received_at, events.event_id)) AS newest,
    newest.1 AS kind,
    newest.2 AS error_type,
    newest.3 AS message,
    newest.4 AS route,
    newest.5 AS view_id,
    newest.6 AS event_id
FROM events
WHERE /* scope */ AND type = 'error'
GROUP BY fingerprint
ORDER BY times DESC, last_seen DESC
LIMIT {limit:UInt32}
