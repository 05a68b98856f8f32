-- How many events of these types there are, and whether all views that reported them stand for equally many.
SELECT min(sample_n) = max(sample_n) AS is_even, count() AS events
FROM events
WHERE /* scope */ AND sample_n > 0 AND type IN {types:Array(String)}
