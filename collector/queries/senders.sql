-- Who sends, by origin of the page and version of the snippet: how much, how late, how clocks were, what was lost on the
-- way. A view's beacons are numbered from 0, so gaps are losses; views that began before the question's time are left out.
SELECT
    origin,
    snippet,
    toInt64(sum(weight)) AS views,
    toInt64(count()) AS n,
    toInt64(sum(rows)) AS events,
    toInt64(sum(belated)) AS late,
    toInt64(countIf(weight > 1)) AS sampled,
    toInt64(countIf(is_shifted)) AS shifted,
    toInt64(sumIf(came, is_whole)) AS beacons,
    toInt64(sumIf(expected - came, is_whole)) AS missing,
    max(newest) AS last_at
FROM
(
    SELECT
        view_key AS view,
        toString(any(events.origin)) AS origin,
        toString(any(events.snippet)) AS snippet,
        any(sample_n) AS weight,
        count() AS rows,
        countIf(toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(timestamp) > {late_ms:Int64}) AS belated,
        max(events.clock = 'shifted') AS is_shifted,
        -- A set for each view takes its time, and few send more than 64 beacons: those are bits of one number.
        bitCount(groupBitOr(if(seq < 64, bitShiftLeft(toUInt64(1), seq), 0))) + uniqExactIf(seq, seq >= 64) AS came,
        toUInt64(max(seq)) + 1 AS expected,
        min(toUnixTimestamp64Milli(timestamp) - toInt64(at_ms)) > {since_ms:Int64} AS is_whole,
        max(received_at) AS newest
    FROM events
    WHERE /* scope */
    GROUP BY view
)
GROUP BY origin, snippet
ORDER BY views DESC, origin, snippet
LIMIT {limit:UInt32}
