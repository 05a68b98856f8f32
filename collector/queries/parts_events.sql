-- Part of `history`: one row per event.
SELECT
    /* named */
    intDiv(toUnixTimestamp64Milli(events.received_at) - 1 - {since_ms:Int64}, {step_ms:Int64}) AS step,
    toUInt64(0) AS part_key,
    toUnixTimestamp64Milli(events.received_at) AS came,
    toFloat64(assumeNotNull(/* value */)) AS v,
    toUInt64(0) AS newest_age,
    toUInt8(0) AS is_hidden,
    toUInt64(0) AS last_seq,
    toUInt64(events.sample_n) AS weight,
    toUInt8(1) AS is_unit,
    cityHash64(if(events.user_id = '', events.session_id, events.user_id)) AS who
FROM events /* joined */
WHERE /* scope */ AND /* types */ AND isNotNull(/* value */)
