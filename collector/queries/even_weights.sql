-- Whether all views that reported events of these types stand for equally many, so that percentiles need no weights.
SELECT min(sample_n) = max(sample_n) AS is_even
FROM events
WHERE /* scope */ AND sample_n > 0 AND type IN {types:Array(String)}
