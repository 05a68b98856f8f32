-- What alerts did: flips of states, attempts to deliver a notice, and what people said to them. Rows are only ever added.
--
-- A row of `flips`, `attempts` is inserted under its own token and read back: of two evaluators that found the same flip,
-- one finds its own name in the row.

CREATE TABLE IF NOT EXISTS flips
(
    rule String,
    group_key String,
    group Map(String, String),
    seq UInt32,
    at DateTime64(3, 'UTC'),
    before LowCardinality(String),
    after LowCardinality(String),
    fired_at Nullable(DateTime64(3, 'UTC')),
    since Nullable(DateTime64(3, 'UTC')),
    value Nullable(Float64),
    low Nullable(Float64),
    high Nullable(Float64),
    n UInt64,
    users UInt64,
    limit_value Nullable(Float64),
    note String,
    problem String,
    question String,
    rule_text String,
    written_by String,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (rule, group_key, seq)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- One row when an attempt begins (`claimed`), and one when its end is known.
CREATE TABLE IF NOT EXISTS attempts
(
    notice String,
    receiver LowCardinality(String),
    rule String,
    attempt UInt32,
    outcome LowCardinality(String),
    said String,
    next_at Nullable(DateTime64(3, 'UTC')),
    written_by String,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (notice, attempt, outcome)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Who quiets what until when. A row with the same id and `until` in the past ends it.
CREATE TABLE IF NOT EXISTS silences
(
    id String,
    rule String,
    group_key String,
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    who String,
    why String,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (id, at)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Who has taken on which episode of firing.
CREATE TABLE IF NOT EXISTS acknowledgements
(
    rule String,
    group_key String,
    fired_at DateTime64(3, 'UTC'),
    who String,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (rule, group_key, fired_at, at)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
