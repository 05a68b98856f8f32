-- The parts of a rule's windows: for each group, what each view or event brought in each step (`parts_*.sql`). The arrays are
-- as long as there are parts: many small ones take longer to read than one large one. Parts come in the order of time,
-- in which a replay meets them: a step's are a slice of the columns, and what is needed together lies together in memory.
SELECT
    /* keys */
    groupArray(step) AS steps,
    groupArray(came) AS came_ms,
    groupArray(part_key) AS keys,
    groupArray(v) AS values,
    groupArray(newest_age) AS ages,
    groupArray(is_hidden) AS hidden,
    groupArray(last_seq) AS seqs,
    groupArray(weight) AS weights,
    groupArray(is_unit) AS units,
    groupArray(who) AS users
FROM (SELECT * FROM (/* parts */) ORDER BY came)
GROUP BY /* by */
ORDER BY /* by */
