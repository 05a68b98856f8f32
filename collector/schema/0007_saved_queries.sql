-- Questions people keep. Rows are added, never altered: the newest of an id wins, and it may say that it is gone.
CREATE TABLE IF NOT EXISTS saved_queries
(
    id String,
    changed_at DateTime64(3, 'UTC'),
    who String,
    app LowCardinality(String),
    name String,
    path LowCardinality(String),
    question String CODEC(ZSTD(1)),
    is_gone Bool
)
ENGINE = MergeTree
ORDER BY (id, changed_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
