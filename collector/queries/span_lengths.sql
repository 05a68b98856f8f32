-- How long operations took in the day before the watermark: (step, n) by service and name; a step is an eighth of a doubling.
SELECT service, name, groupArray((step, n)) AS steps
FROM
(
    SELECT toString(service) AS service, toString(name) AS name, step, sum(n) AS n
    FROM span_lengths
    WHERE span_lengths.service IN {services:Array(String)} AND span_lengths.name IN {names:Array(String)}
        AND hour > fromUnixTimestamp64Milli({until_ms:Int64} - 86400000, 'UTC')
        AND hour <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    GROUP BY service, name, step
)
GROUP BY service, name
SETTINGS max_threads = 1
