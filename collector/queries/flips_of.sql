-- Flips since a moment, of one rule or of all.
SELECT
    rule, group_key, CAST(group, 'Map(String, String)') AS group, seq, at, toString(before) AS before,
    toString(after) AS after, fired_at, since, value, low, high, n, users, limit_value, note, problem, question,
    rule_text, written_by, written_at
FROM flips
WHERE at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND ({rule:String} = '' OR rule = {rule:String})
ORDER BY at DESC, rule, group_key, seq DESC
LIMIT {most:UInt32}
