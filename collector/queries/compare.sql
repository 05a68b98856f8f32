-- How often each value of each dimension is met among the chosen rows and among the others: all rows are counted, one
-- grouping set a dimension. `mask` says which: its bit is 0. The empty set gives the totals.
SELECT
    grouping(/* names */) AS mask,
    /* names */,
    sumIf(weight, is_chosen) AS chosen,
    sumIf(weight, NOT is_chosen) AS others,
    countIf(is_chosen) AS chosen_n,
    countIf(NOT is_chosen) AS others_n,
    sumIf(weight * weight, is_chosen) AS chosen_squares,
    sumIf(weight * weight, NOT is_chosen) AS others_squares,
    max(chosen) OVER () AS chosen_all,
    max(others) OVER () AS others_all
FROM (/* sides */)
GROUP BY GROUPING SETS ((), /* sets */)
ORDER BY abs(chosen / greatest(chosen_all, 1) - others / greatest(others_all, 1)) DESC, mask, /* names */
LIMIT {most:UInt32} BY mask
