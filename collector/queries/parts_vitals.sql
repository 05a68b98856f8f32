-- Part of `history`: one row per view and step in which it reported a vital; the rules are those of latest.sql.
SELECT
    /* named */
    intDiv(toUnixTimestamp64Milli(events.received_at) - 1 - {since_ms:Int64}, {step_ms:Int64}) AS step,
    cityHash64(events.view_id) AS part_key,
    max(toUnixTimestamp64Milli(events.received_at)) AS came,
    toFloat64(ifNull(/* value */, nan)) AS v,
    toUInt64(maxIf(age, /* own */)) AS newest_age,
    toUInt8(min(events.visibility = 'hidden')) AS is_hidden,
    toUInt64(max(events.seq)) AS last_seq,
    toUInt64(any(events.sample_n)) AS weight,
    toUInt8(1) AS is_unit,
    any(cityHash64(if(events.user_id = '', events.session_id, events.user_id))) AS who
FROM events
WHERE /* scope */ AND events.type = 'vital' AND events.value IS NOT NULL
GROUP BY /* by */ step, part_key
