-- What was wrong with some of what was refused, in the door's own words (which origin, which key, which field): a few of each
-- outcome a minute, so that pages can name it. The numbers are in `outcomes`.
CREATE TABLE IF NOT EXISTS refusal_details
(
    app LowCardinality(String),
    outcome LowCardinality(String),
    minute DateTime('UTC'),
    detail String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (app, outcome, minute, detail)
TTL minute + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE lines ADD COLUMN IF NOT EXISTS
    details Array(Tuple(app String, outcome String, minute Int64, detail String));

CREATE MATERIALIZED VIEW IF NOT EXISTS lines_to_refusal_details TO refusal_details AS
SELECT row.app AS app, row.outcome AS outcome, toDateTime(row.minute, 'UTC') AS minute, row.detail AS detail
FROM lines
ARRAY JOIN details AS row;
