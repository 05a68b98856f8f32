-- The columns of tables that may be asked by hand, as they lie; what is worked out from others comes last.
SELECT table, name, type
FROM system.columns
WHERE database = currentDatabase() AND table IN {tables:Array(String)}
ORDER BY table, position
