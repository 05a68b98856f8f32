-- How each of three vitals lies for the views of a question: what one person's views are held against.
SELECT
    name,
    count() AS n,
    quantilesExactWeighted(0.1, 0.5, 0.750000001, 0.9)(assumeNotNull(value), weight) AS levels
FROM (/* latest */)
ARRAY JOIN ['LCP', 'INP', 'CLS'] AS name, [lcp, inp, cls] AS value
WHERE value IS NOT NULL AND NOT is_hidden
GROUP BY name
