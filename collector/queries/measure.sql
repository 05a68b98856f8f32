-- One metric by group and slice of time. The values come from one of the three values_*.sql: a row is one view, event,
-- session or user with its value v, its weight (it stands for so many) and `unit`: whether it is one of those counted.
SELECT
    /* keys */
    /* slice */ AS slice,
    count() OVER () AS found,
    countIf(unit) AS n,
    uniqExactIf(user, unit AND user != '') AS users,
    toFloat64(sumIf(weight, unit)) AS size,
    toFloat64(sumIf(weight * weight, unit)) AS squares,
    sum(weight * v) AS amount,
    sum(weight * weight * v * v) AS amount_squares,
    sumIf(weight * weight * v, unit) AS amount_products,
    toInt64(sumIf(weight, unit AND v <= {good:Float64})) AS good,
    toInt64(sumIf(weight, unit AND v > {poor:Float64})) AS poor,
    /* levels */ AS levels,
    /* sample */ AS sample
FROM (/* values */)
GROUP BY /* keys */ slice
ORDER BY /* order */ /* keys */ slice
LIMIT {most:UInt32}
