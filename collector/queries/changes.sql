-- The audit, newest first; an empty filter lets everything through.
SELECT id, at, who, toString(came_by) AS came_by, toString(action) AS action, toString(app) AS app, subject, before, after
FROM audit
WHERE at < fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC')
    AND ({who:String} = '' OR who = {who:String})
    AND ({action:String} = '' OR action = {action:String})
    AND ({subject:String} = '' OR positionCaseInsensitiveUTF8(subject, {subject:String}) > 0)
ORDER BY at DESC, id
LIMIT {limit:UInt32}
