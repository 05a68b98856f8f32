-- How often each value of each dimension is met among the chosen rows and among the others: all rows are counted, one
-- grouping set a dimension. `mask` says which: its bit is 0. The empty set gives the totals. In each set all names but one are
-- empty, so that together they are the value; rows of one column are sorted in a fraction of the time that rows of twenty take.
SELECT *, max(chosen) OVER () AS chosen_all, max(others) OVER () AS others_all
FROM
(
    SELECT
        grouping(/* names */) AS mask,
        concat(/* names */) AS value,
        sumIf(weight, is_chosen) AS chosen,
        sum(weight) - chosen AS others,
        countIf(is_chosen) AS chosen_n,
        count() - chosen_n AS others_n,
        sumIf(weight * weight, is_chosen) AS chosen_squares,
        sum(weight * weight) - chosen_squares AS others_squares
    FROM (/* sides */)
    GROUP BY GROUPING SETS ((), /* sets */)
)
ORDER BY abs(chosen / greatest(chosen_all, 1) - others / greatest(others_all, 1)) DESC, mask, value
LIMIT {most:UInt32} BY mask
