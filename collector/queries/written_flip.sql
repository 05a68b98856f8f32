-- The flip under one token: whoever wrote it first is who it is of.
SELECT
    rule, group_key, CAST(group, 'Map(String, String)') AS group, seq, at, toString(before) AS before,
    toString(after) AS after, fired_at, since, value, low, high, n, users, limit_value, note, problem, question,
    rule_text, written_by, written_at
FROM flips
WHERE rule = {rule:String} AND group_key = {group_key:String} AND seq = {seq:UInt32}
ORDER BY written_at, written_by
LIMIT 1
