-- The same for what the page itself added, attributes and flags, by key and value. A key gets its name (`attr.` or `flag.`)
-- after all rows are counted.
SELECT
    concat(if(is_flag, 'flag.', 'attr.'), bare) AS key,
    value,
    sumIf(weight, is_chosen) AS chosen,
    sum(weight) - chosen AS others,
    countIf(is_chosen) AS chosen_n,
    count() - chosen_n AS others_n
FROM (/* sides */)
ARRAY JOIN keys AS bare, texts AS value, are_flags AS is_flag
GROUP BY bare, value, is_flag
ORDER BY abs(chosen / {chosen_all:Float64} - others / {others_all:Float64}) DESC, key, value
LIMIT {most:UInt32} BY key
LIMIT 1000
