-- The newest map of one file.
SELECT map
FROM source_maps
WHERE app = {app:String} AND release = {release:String} AND file = {file:String}
ORDER BY uploaded_at DESC
LIMIT 1
