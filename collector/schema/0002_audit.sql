-- Who changed what: every write of a person, a token or a settings file, before it is done. Never deleted by age.
CREATE TABLE IF NOT EXISTS audit
(
    id String,
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    who String,
    came_by LowCardinality(String),
    action LowCardinality(String),
    app LowCardinality(String),
    subject String,
    before Map(String, String) CODEC(ZSTD(1)),
    after Map(String, String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (at, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
