-- Attempts to deliver since a moment.
SELECT notice, toString(receiver) AS receiver, rule, attempt, toString(outcome) AS outcome, said, next_at, written_by, at
FROM attempts
WHERE at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY at, notice, attempt, outcome != 'claimed'
