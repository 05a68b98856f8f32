-- Who claimed an attempt first.
SELECT written_by
FROM attempts
WHERE notice = {notice:String} AND attempt = {attempt:UInt32} AND outcome = 'claimed'
ORDER BY at, written_by
LIMIT 1
