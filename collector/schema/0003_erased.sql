-- Who asked to be forgotten, as digests: loaders look here, so that no replay brings anybody back. Never deleted by age.
CREATE TABLE IF NOT EXISTS erased
(
    digest String,
    until DateTime64(3, 'UTC'),
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(until)
ORDER BY digest
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
