-- What was decided last about each group of an app.
SELECT
    fingerprint,
    argMax(
        (toString(error_states.state), since_at, until_at, toString(error_states.team), error_states.who), changed_at) AS newest,
    newest.1 AS state,
    newest.2 AS since,
    newest.3 AS until,
    newest.4 AS team,
    newest.5 AS who
FROM error_states
WHERE app = {app:String} AND ({fingerprint:String} = '' OR fingerprint = {fingerprint:String})
GROUP BY fingerprint
LIMIT 10000
