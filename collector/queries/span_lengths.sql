-- How long operations took in the day before the watermark: n of each step by service and name; a step is an eighth of a doubling.
SELECT toString(service) AS service, toString(name) AS name, sumMap([step], [n]) AS steps
FROM span_lengths
WHERE span_lengths.service IN {services:Array(String)} AND span_lengths.name IN {names:Array(String)}
    AND hour > fromUnixTimestamp64Milli({until_ms:Int64} - 86400000, 'UTC')
    AND hour <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
GROUP BY span_lengths.service, span_lengths.name
/* lookup */
