-- Part of `history`: one row per view (or session, or user) and step, with what was counted in it then.
WITH /* counted */ AS is_counted
SELECT
    /* named */
    intDiv(toUnixTimestamp64Milli(events.received_at) - 1 - {since_ms:Int64}, {step_ms:Int64}) AS step,
    cityHash64(/* key */) AS part_key,
    max(toUnixTimestamp64Milli(events.received_at)) AS came,
    toFloat64(/* value */) AS v,
    toUInt64(max(events.seq)) AS newest_age,
    toUInt8(0) AS is_hidden,
    toUInt64(max(events.seq)) AS last_seq,
    toUInt64(any(events.sample_n)) AS weight,
    toUInt8(/* unit */) AS is_unit,
    any(cityHash64(if(events.user_id = '', events.session_id, events.user_id))) AS who
FROM events
WHERE /* scope */ AND /* types */ AND /* key */ != ''
GROUP BY /* by */ step, part_key
