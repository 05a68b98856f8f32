-- How often things go wrong for the views of a question.
SELECT
    toInt64(sumIf(sample_n, type = 'view')) AS views,
    toInt64(uniqExactIf(user_id, user_id != '')) AS users,
    toInt64(uniqExact(session_id)) AS sessions,
    toInt64(sumIf(toInt64(sample_n) * ifNull(count, 1), type = 'error')) AS errors,
    toInt64(sumIf(sample_n, type = 'fetch')) AS requests,
    toInt64(sumIf(sample_n, type = 'fetch' AND (failure != '' OR ifNull(status_code, 0) >= 400))) AS failed,
    toInt64(sumIf(sample_n, type = 'action' AND name IN ('rage_click', 'dead_click'))) AS angry
FROM events
WHERE /* scope */ AND type IN ('view', 'error', 'fetch', 'action')
