-- Part of other queries: one row per view and period, with the newest report of each vital (NULL: there is none). Later in
-- a beacon is newer. A view that was seen once is never hidden again, so it is hidden if all its reports are. Of very many
-- views one in `one_in` is read, and stands for as many. Rows are grouped by one number, for that takes a tenth less than by
-- two: the period is a bit of it, and since views' numbers are random a bit makes another one.
SELECT
    bitXor(view_key, toUInt128(received_at > fromUnixTimestamp64Milli({split_ms:Int64}, 'UTC'))) AS view_and_period,
    came_at > fromUnixTimestamp64Milli({split_ms:Int64}, 'UTC') AS is_now,
    bitXor(view_and_period, toUInt128(is_now)) AS view,
    toString(any(events.route)) AS route,
    any(sample_n) * {one_in:UInt32} AS weight,
    max(received_at) AS came_at,
    min(visibility = 'hidden') AS is_hidden,
    argMaxOrNullIf(assumeNotNull(value), age, name = 'LCP') AS lcp,
    argMaxOrNullIf(assumeNotNull(value), age, name = 'INP') AS inp,
    argMaxOrNullIf(assumeNotNull(value), age, name = 'CLS') AS cls,
    argMaxOrNullIf(assumeNotNull(value), age, name = 'FCP') AS fcp,
    argMaxOrNullIf(assumeNotNull(value), age, name = 'TTFB') AS ttfb
FROM events
WHERE /* scope */ AND sample_n > 0 AND type = 'vital' AND value IS NOT NULL
    AND ({one_in:UInt32} = 1 OR toUInt64(view_key) % {one_in:UInt32} = 0)
GROUP BY view_and_period
