-- The same for what the page itself added, attributes and flags, by key and value.
SELECT
    key,
    value,
    sumIf(weight, is_chosen) AS chosen,
    sumIf(weight, NOT is_chosen) AS others,
    countIf(is_chosen) AS chosen_n,
    countIf(NOT is_chosen) AS others_n
FROM (/* sides */)
ARRAY JOIN keys AS key, texts AS value
GROUP BY key, value
ORDER BY abs(chosen / {chosen_all:Float64} - others / {others_all:Float64}) DESC, key, value
LIMIT {most:UInt32} BY key
LIMIT 1000
