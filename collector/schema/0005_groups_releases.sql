-- What people and CI say about errors and releases. Rows are added, never altered: the newest of a kind wins.

-- A group of errors: `open`, `resolved` (at `since_at`), or `ignored` until `until_at` (1970: for ever), and whose it is.
CREATE TABLE IF NOT EXISTS error_states
(
    app LowCardinality(String),
    fingerprint String,
    changed_at DateTime64(3, 'UTC'),
    who String,
    state LowCardinality(String),
    since_at DateTime64(3, 'UTC'),
    until_at DateTime64(3, 'UTC'),
    team LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (app, fingerprint, changed_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Source maps as they were uploaded, checked before.
CREATE TABLE IF NOT EXISTS source_maps
(
    app LowCardinality(String),
    release String,
    file String,
    uploaded_at DateTime64(3, 'UTC'),
    who String,
    bytes UInt64,
    sources UInt32,
    mappings UInt32,
    map String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(uploaded_at)
ORDER BY (app, release, file, uploaded_at)
TTL toDateTime(uploaded_at) + INTERVAL 400 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 16,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- Moments worth a line on every chart: a deployment, a flag that was turned, a campaign.
CREATE TABLE IF NOT EXISTS markers
(
    app LowCardinality(String),
    at DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    name String,
    link String,
    who String,
    posted_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (app, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
