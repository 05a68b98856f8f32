-- How many values lie in each slice of time and step of value; the values come from one of the three values_*.sql.
SELECT /* slice */ AS slice, roundDown(v, {edges:Array(Float64)}) AS edge, toInt64(sum(weight)) AS size, count() AS n
FROM (/* values */)
WHERE unit
GROUP BY slice, edge
ORDER BY slice, edge
