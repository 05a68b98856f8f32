-- Saved questions as they are now: the newest row of each id, without those that are gone.
SELECT
    id, min(saved_queries.changed_at) AS saved_at, max(saved_queries.changed_at) AS changed_at,
    argMin(saved_queries.who, saved_queries.changed_at) AS who,
    argMax(saved_queries.app, saved_queries.changed_at) AS app, argMax(saved_queries.name, saved_queries.changed_at) AS name,
    argMax(saved_queries.path, saved_queries.changed_at) AS path,
    argMax(saved_queries.question, saved_queries.changed_at) AS question
FROM saved_queries
WHERE {id:String} IN ('', id)
GROUP BY id
HAVING NOT argMax(is_gone, saved_queries.changed_at)
ORDER BY lower(name), id
LIMIT 1000
