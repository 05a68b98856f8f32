-- Which of the values that stand out are met together: bit nr of `bits` is set where the row has value nr. Sums over
-- these few rows give every pair and every triple exactly.
SELECT
    bits,
    sumIf(weight, is_chosen) AS chosen,
    sum(weight) - chosen AS others,
    countIf(is_chosen) AS chosen_n,
    count() - chosen_n AS others_n
FROM (/* sides */)
GROUP BY bits
