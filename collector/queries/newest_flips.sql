-- Where every rule and group stands: its last flip.
SELECT
    rule, group_key, CAST(group, 'Map(String, String)') AS group, seq, at, toString(before) AS before,
    toString(after) AS after, fired_at, since, value, low, high, n, users, limit_value, note, problem, question,
    rule_text, written_by, written_at
FROM flips
ORDER BY rule, group_key, seq DESC, written_at
LIMIT 1 BY rule, group_key
