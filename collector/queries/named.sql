-- What a text is the name of, in one app: whichever of these has met it.
SELECT 'view' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND view_id = {text:String} LIMIT 1)
UNION ALL
SELECT 'session' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND session_id = {text:String} LIMIT 1)
UNION ALL
SELECT 'trace' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM otel_traces WHERE TraceId = {text:String} LIMIT 1)
UNION ALL
SELECT 'user' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND user_id = {text:String} AND user_id != '' LIMIT 1)
UNION ALL
SELECT 'route' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND type = 'view' AND route = {text:String} LIMIT 1)
UNION ALL
SELECT 'team' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND type = 'view' AND team = {text:String} LIMIT 1)
UNION ALL
SELECT 'release' AS kind, count() > 0 AS is_known
FROM (SELECT 1 FROM events WHERE app = {app:String} AND type = 'view' AND release = {text:String} LIMIT 1)
