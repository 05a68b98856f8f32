-- The newest map of each file of a release, without the maps themselves.
SELECT
    file,
    max(source_maps.uploaded_at) AS uploaded_at,
    argMax(source_maps.who, source_maps.uploaded_at) AS who,
    argMax(source_maps.bytes, source_maps.uploaded_at) AS bytes,
    argMax(source_maps.sources, source_maps.uploaded_at) AS sources,
    argMax(source_maps.mappings, source_maps.uploaded_at) AS mappings
FROM source_maps
WHERE app = {app:String} AND release = {release:String}
GROUP BY file
ORDER BY file
LIMIT 5000
