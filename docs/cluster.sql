CREATE DATABASE IF NOT EXISTS farside ON CLUSTER `main`;

CREATE DATABASE IF NOT EXISTS farside_shard ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS farside.migrations ON CLUSTER `main`
(
    version UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY version;

-- 0001_first_light.sql

CREATE TABLE IF NOT EXISTS farside_shard.lines ON CLUSTER `main`
(
    checksum String,
    line_id String,
    received_at Int64,
    app String,
    team String,
    seq UInt32,
    sent_at Int64,
    clock_offset_ms Int64,
    clock String,
    view_started_at Float64,
    base_at Float64,
    session_id String,
    view_id String,
    user_id String,
    route String,
    url String,
    origin String,
    navigation String,
    trace_id String,
    view_span_id String,
    release String,
    environment String,
    browser String,
    browser_version String,
    os String,
    os_version String,
    device String,
    bot_score UInt8,
    country String,
    viewport_width UInt16,
    viewport_height UInt16,
    connection String,
    device_memory Nullable(Float32),
    save_data Bool,
    visibility String,
    sample_n UInt16,
    snippet String,
    attributes Map(String, String),
    flags Map(String, String),
    flag_sources Map(String, String),
    events Array(Tuple(
        type String,
        at Float64,
        clamped Bool,
        name String,
        value Nullable(Float64),
        duration_ms Nullable(Float64),
        status_code Nullable(UInt16),
        trace_id String,
        span_id String,
        parent_span_id String,
        server_span_id String,
        trace_source String,
        url String,
        endpoint String,
        cause String,
        failure String,
        initiator String,
        bytes Nullable(UInt64),
        target String,
        phases Map(String, Float64),
        batch Nullable(UInt32),
        burst Nullable(UInt32),
        duplicates Nullable(UInt32),
        items Nullable(UInt32),
        stall_ms Nullable(Float64),
        distance_px Nullable(Int32),
        depth_px Nullable(UInt32),
        abandoned Nullable(Bool),
        count Nullable(UInt32),
        error_type String,
        message String,
        stack String,
        fingerprint String,
        breadcrumbs String,
        attributes Map(String, String))),
    spans Array(Tuple(
        timestamp_ns Int64,
        trace_id String,
        span_id String,
        parent_span_id String,
        trace_state String,
        name String,
        kind String,
        service String,
        resource Map(String, String),
        scope_name String,
        scope_version String,
        attributes Map(String, String),
        duration_ns UInt64,
        status String,
        status_message String,
        events Array(Tuple(timestamp_ns Int64, name String, attributes Map(String, String))),
        links Array(Tuple(trace_id String, span_id String, trace_state String, attributes Map(String, String))))),
    outcomes Array(Tuple(app String, minute Int64, outcome String, n UInt64))
)
ENGINE = Null;

CREATE TABLE IF NOT EXISTS farside.lines ON CLUSTER `main` AS farside_shard.lines
ENGINE = Distributed('main', 'farside_shard', 'lines', sipHash64(if(session_id = '', line_id, session_id)));

CREATE TABLE IF NOT EXISTS farside_shard.events ON CLUSTER `main`
(
    app LowCardinality(String),
    team LowCardinality(String),
    type LowCardinality(String),
    event_id String CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    view_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    seq UInt32,
    at_ms Float64 CODEC(ZSTD(1)),
    route LowCardinality(String),
    path String CODEC(ZSTD(1)),
    origin LowCardinality(String),
    navigation LowCardinality(String),
    release LowCardinality(String),
    environment LowCardinality(String),
    browser LowCardinality(String),
    browser_version LowCardinality(String),
    os LowCardinality(String),
    os_version LowCardinality(String),
    device LowCardinality(String),
    bot_score UInt8,
    country LowCardinality(String),
    viewport_width UInt16,
    viewport_height UInt16,
    connection LowCardinality(String),
    device_memory Nullable(Float32),
    save_data Bool,
    visibility LowCardinality(String),
    sample_n UInt16,
    snippet LowCardinality(String),
    clock_offset_ms Int64,
    clock LowCardinality(String),
    name String CODEC(ZSTD(1)),
    value Nullable(Float64) CODEC(ZSTD(1)),
    duration_ms Nullable(Float64) CODEC(ZSTD(1)),
    status_code Nullable(UInt16),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String CODEC(ZSTD(1)),
    server_span_id String CODEC(ZSTD(1)),
    trace_source LowCardinality(String),
    url String CODEC(ZSTD(1)),
    endpoint LowCardinality(String),
    cause LowCardinality(String),
    failure LowCardinality(String),
    initiator LowCardinality(String),
    bytes Nullable(UInt64),
    target String CODEC(ZSTD(1)),
    phases Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    batch Nullable(UInt32),
    burst Nullable(UInt32),
    duplicates Nullable(UInt32),
    items Nullable(UInt32),
    stall_ms Nullable(Float64),
    distance_px Nullable(Int32),
    depth_px Nullable(UInt32),
    abandoned Nullable(Bool),
    count Nullable(UInt32),
    error_type LowCardinality(String),
    message String CODEC(ZSTD(1)),
    stack String CODEC(ZSTD(1)),
    fingerprint String CODEC(ZSTD(1)),
    breadcrumbs String CODEC(ZSTD(1)),
    flags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    flag_sources Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    INDEX by_received received_at TYPE minmax GRANULARITY 1,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_view view_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_user user_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_fingerprint fingerprint TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(received_at)
ORDER BY (app, type, toStartOfFiveMinutes(timestamp), route, timestamp)
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.lines_to_events ON CLUSTER `main` TO farside_shard.events AS
SELECT
    app, team,
    event.type AS type,
    concat(line_id, '.', toString(nr)) AS event_id,
    fromUnixTimestamp64Milli(lines.received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(toInt64(round(base_at + event.at)), 'UTC') AS timestamp,
    session_id, view_id, user_id, seq,
    event.at AS at_ms,
    route, lines.url AS path, origin, navigation, release, environment,
    browser, browser_version, os, os_version, device, bot_score, country,
    viewport_width, viewport_height, connection, device_memory, save_data, visibility,
    sample_n, snippet, clock_offset_ms,
    if(event.clamped, 'clamped', lines.clock) AS clock,
    event.name AS name, event.value AS value, event.duration_ms AS duration_ms, event.status_code AS status_code,
    if(event.trace_id = '', lines.trace_id, event.trace_id) AS trace_id,
    event.span_id AS span_id, event.parent_span_id AS parent_span_id, event.server_span_id AS server_span_id,
    event.trace_source AS trace_source,
    event.url AS url, event.endpoint AS endpoint, event.cause AS cause, event.failure AS failure,
    event.initiator AS initiator, event.bytes AS bytes, event.target AS target, event.phases AS phases,
    event.batch AS batch, event.burst AS burst, event.duplicates AS duplicates, event.items AS items,
    event.stall_ms AS stall_ms, event.distance_px AS distance_px, event.depth_px AS depth_px,
    event.abandoned AS abandoned, event.count AS count,
    event.error_type AS error_type, event.message AS message, event.stack AS stack,
    event.fingerprint AS fingerprint, event.breadcrumbs AS breadcrumbs,
    flags, flag_sources,
    mapUpdate(lines.attributes, event.attributes) AS attributes
FROM farside_shard.lines
ARRAY JOIN events AS event, arrayEnumerate(events) AS nr;

CREATE TABLE IF NOT EXISTS farside_shard.otel_traces ON CLUSTER `main`
(
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested(
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    Links Nested(
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(received_at)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.lines_to_backend_spans ON CLUSTER `main` TO farside_shard.otel_traces AS
SELECT
    fromUnixTimestamp64Nano(span.timestamp_ns) AS Timestamp,
    span.trace_id AS TraceId, span.span_id AS SpanId, span.parent_span_id AS ParentSpanId,
    span.trace_state AS TraceState, span.name AS SpanName, span.kind AS SpanKind, span.service AS ServiceName,
    span.resource AS ResourceAttributes, span.scope_name AS ScopeName, span.scope_version AS ScopeVersion,
    span.attributes AS SpanAttributes, span.duration_ns AS Duration,
    span.status AS StatusCode, span.status_message AS StatusMessage,
    arrayMap(e -> fromUnixTimestamp64Nano(e.timestamp_ns), span.events) AS `Events.Timestamp`,
    arrayMap(e -> e.name, span.events) AS `Events.Name`,
    arrayMap(e -> e.attributes, span.events) AS `Events.Attributes`,
    arrayMap(l -> l.trace_id, span.links) AS `Links.TraceId`,
    arrayMap(l -> l.span_id, span.links) AS `Links.SpanId`,
    arrayMap(l -> l.trace_state, span.links) AS `Links.TraceState`,
    arrayMap(l -> l.attributes, span.links) AS `Links.Attributes`,
    fromUnixTimestamp64Milli(lines.received_at, 'UTC') AS received_at
FROM farside_shard.lines
ARRAY JOIN spans AS span;

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.lines_to_browser_spans ON CLUSTER `main` TO farside_shard.otel_traces AS
SELECT
    fromUnixTimestamp64Micro(toInt64(round((view_started_at + event.at) * 1000))) AS Timestamp,
    if(event.trace_id = '', lines.trace_id, event.trace_id) AS TraceId,
    event.span_id AS SpanId,
    if(event.type = 'view', '', if(event.parent_span_id = '', view_span_id, event.parent_span_id)) AS ParentSpanId,
    multiIf(
        event.type = 'view', concat('view ', route),
        event.type = 'fetch', trimLeft(concat(event.name, ' ', event.endpoint)),
        event.name) AS SpanName,
    if(event.type = 'fetch', 'Client', 'Internal') AS SpanKind,
    'browser' AS ServiceName,
    map('service.name', 'browser', 'service.namespace', app, 'service.version', release,
        'deployment.environment.name', environment, 'browser.name', browser, 'os.name', os,
        'session.id', session_id) AS ResourceAttributes,
    'farside' AS ScopeName,
    snippet AS ScopeVersion,
    mapFilter((k, v) -> v != '', mapUpdate(event.attributes, map(
        'farside.type', event.type, 'farside.view_id', view_id, 'farside.event_id', concat(line_id, '.', toString(nr)),
        'farside.route', route, 'url.path', event.url, 'farside.cause', event.cause,
        'http.request.method', if(event.type = 'fetch', event.name, ''),
        'http.response.status_code', ifNull(toString(event.status_code), ''),
        'error.type', if(event.failure = '', event.error_type, event.failure),
        'farside.server_span_id', event.server_span_id, 'farside.trace_source', event.trace_source,
        'farside.clock_offset_ms', toString(clock_offset_ms)))) AS SpanAttributes,
    toUInt64(round(greatest(ifNull(event.duration_ms, 0), 0) * 1e6)) AS Duration,
    if(event.failure != '' OR ifNull(event.status_code, 0) >= 400, 'Error', 'Unset') AS StatusCode,
    event.message AS StatusMessage,
    fromUnixTimestamp64Milli(lines.received_at, 'UTC') AS received_at
FROM farside_shard.lines
ARRAY JOIN events AS event, arrayEnumerate(events) AS nr
WHERE event.span_id != '' AND event.type IN ('view', 'fetch', 'mark');

CREATE TABLE IF NOT EXISTS farside_shard.otel_traces_trace_id_ts ON CLUSTER `main`
(
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDateTime(Start) + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.otel_traces_trace_id_ts ON CLUSTER `main` AS farside_shard.otel_traces_trace_id_ts
ENGINE = Distributed('main', 'farside_shard', 'otel_traces_trace_id_ts', rand());

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.otel_traces_trace_id_ts_mv ON CLUSTER `main` TO farside_shard.otel_traces_trace_id_ts AS
SELECT TraceId, toDateTime(min(Timestamp)) AS Start, toDateTime(max(Timestamp)) AS End
FROM farside_shard.otel_traces
WHERE TraceId != ''
GROUP BY TraceId;

CREATE TABLE IF NOT EXISTS farside_shard.outcomes ON CLUSTER `main`
(
    app LowCardinality(String),
    minute DateTime('UTC'),
    outcome LowCardinality(String),
    n UInt64
)
ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', n)
PARTITION BY toYYYYMM(minute)
ORDER BY (app, minute, outcome)
TTL minute + INTERVAL 400 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.outcomes ON CLUSTER `main` AS farside_shard.outcomes
ENGINE = Distributed('main', 'farside_shard', 'outcomes', rand());

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.lines_to_outcomes ON CLUSTER `main` TO farside_shard.outcomes AS
SELECT app, toDateTime(minute, 'UTC') AS minute, outcome, sum(n) AS n
FROM
(
    SELECT row.app AS app, row.minute AS minute, row.outcome AS outcome, row.n AS n
    FROM farside_shard.lines
    ARRAY JOIN outcomes AS row
    UNION ALL
    SELECT app, intDiv(received_at, 60000) * 60 AS minute, 'stored' AS outcome, length(events) + length(spans) AS n
    FROM farside_shard.lines
    WHERE length(events) + length(spans) > 0
)
GROUP BY app, minute, outcome;

CREATE TABLE IF NOT EXISTS farside.segments ON CLUSTER `main`
(
    name FixedString(32),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    lines UInt64,
    first_received_at DateTime64(3, 'UTC'),
    last_received_at DateTime64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY name
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0002_audit.sql

CREATE TABLE IF NOT EXISTS farside.audit ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (at, id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0003_erased.sql

CREATE TABLE IF NOT EXISTS farside.erased ON CLUSTER `main`
(
    digest String,
    until DateTime64(3, 'UTC'),
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}', until)
ORDER BY digest
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0004_alerts.sql

CREATE TABLE IF NOT EXISTS farside.flips ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (rule, group_key, seq)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.attempts ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (notice, attempt, outcome)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.silences ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (id, at)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.acknowledgements ON CLUSTER `main`
(
    rule String,
    group_key String,
    fired_at DateTime64(3, 'UTC'),
    who String,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (rule, group_key, fired_at, at)
TTL toDateTime(at) + INTERVAL 400 DAY DELETE
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0005_groups_releases.sql

CREATE TABLE IF NOT EXISTS farside.error_states ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (app, fingerprint, changed_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.source_maps ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
PARTITION BY toYYYYMM(uploaded_at)
ORDER BY (app, release, file, uploaded_at)
TTL toDateTime(uploaded_at) + INTERVAL 400 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, index_granularity = 16,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.markers ON CLUSTER `main`
(
    app LowCardinality(String),
    at DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    name String,
    link String,
    who String,
    posted_at DateTime64(3, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (app, at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0006_span_lengths.sql

CREATE TABLE IF NOT EXISTS farside_shard.span_lengths ON CLUSTER `main`
(
    service LowCardinality(String),
    name LowCardinality(String),
    hour DateTime('UTC'),
    step Int16,
    n UInt64
)
ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', n)
PARTITION BY toDate(hour)
ORDER BY (service, name, hour, step)
TTL hour + INTERVAL 8 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.span_lengths ON CLUSTER `main` AS farside_shard.span_lengths
ENGINE = Distributed('main', 'farside_shard', 'span_lengths', rand());

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.otel_traces_to_span_lengths ON CLUSTER `main` TO farside_shard.span_lengths AS
SELECT ServiceName AS service, SpanName AS name, toStartOfHour(toDateTime(received_at, 'UTC')) AS hour,
    toInt16(floor(log2(greatest(Duration, 1)) * 8)) AS step, count() AS n
FROM farside_shard.otel_traces
GROUP BY service, name, hour, step;

-- 0007_saved_queries.sql

CREATE TABLE IF NOT EXISTS farside.saved_queries ON CLUSTER `main`
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}')
ORDER BY (id, changed_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000, fsync_after_insert = 1, fsync_part_directory = 1;

-- 0008_spans_by_trace.sql

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` ADD PROJECTION IF NOT EXISTS by_trace (SELECT * ORDER BY cityHash64(TraceId) % 65536, TraceId);

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` MATERIALIZE PROJECTION by_trace;

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

-- 0009_keys_of_views.sql

ALTER TABLE farside_shard.events ON CLUSTER `main` ADD COLUMN IF NOT EXISTS view_key UInt128
    MATERIALIZED reinterpretAsUInt128(unhex(view_id)) CODEC(ZSTD(1));

CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));

ALTER TABLE farside_shard.events ON CLUSTER `main` ADD COLUMN IF NOT EXISTS age UInt64
    MATERIALIZED seq * 65536 + toUInt16OrZero(substring(event_id, position(event_id, '.') + 1)) CODEC(ZSTD(1));

CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));

ALTER TABLE farside_shard.events ON CLUSTER `main` MATERIALIZE COLUMN view_key, MATERIALIZE COLUMN age;

CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));

-- 0010_keys_of_spans.sql

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` ADD COLUMN IF NOT EXISTS span_key UInt64
    MATERIALIZED reinterpretAsUInt64(unhex(SpanId)) CODEC(ZSTD(1));

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` ADD COLUMN IF NOT EXISTS parent_key UInt64
    MATERIALIZED reinterpretAsUInt64(unhex(ParentSpanId)) CODEC(ZSTD(1));

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

ALTER TABLE farside_shard.otel_traces ON CLUSTER `main` MATERIALIZE COLUMN span_key, MATERIALIZE COLUMN parent_key;

CREATE OR REPLACE TABLE farside.otel_traces ON CLUSTER `main` AS farside_shard.otel_traces
ENGINE = Distributed('main', 'farside_shard', 'otel_traces', rand());

-- 0011_refusal_details.sql

CREATE TABLE IF NOT EXISTS farside_shard.refusal_details ON CLUSTER `main`
(
    app LowCardinality(String),
    outcome LowCardinality(String),
    minute DateTime('UTC'),
    detail String CODEC(ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(minute)
ORDER BY (app, outcome, minute, detail)
TTL minute + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 31536000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS farside.refusal_details ON CLUSTER `main` AS farside_shard.refusal_details
ENGINE = Distributed('main', 'farside_shard', 'refusal_details', rand());

ALTER TABLE farside_shard.lines ON CLUSTER `main` ADD COLUMN IF NOT EXISTS
    details Array(Tuple(app String, outcome String, minute Int64, detail String));

CREATE OR REPLACE TABLE farside.lines ON CLUSTER `main` AS farside_shard.lines
ENGINE = Distributed('main', 'farside_shard', 'lines', sipHash64(if(session_id = '', line_id, session_id)));

CREATE MATERIALIZED VIEW IF NOT EXISTS farside_shard.lines_to_refusal_details ON CLUSTER `main` TO farside_shard.refusal_details AS
SELECT row.app AS app, row.outcome AS outcome, toDateTime(row.minute, 'UTC') AS minute, row.detail AS detail
FROM farside_shard.lines
ARRAY JOIN details AS row;

-- 0012_quicker_columns.sql

ALTER TABLE farside_shard.events ON CLUSTER `main` MODIFY COLUMN name LowCardinality(String) SETTINGS alter_sync = 0;

CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));

ALTER TABLE farside_shard.events ON CLUSTER `main`     MODIFY COLUMN received_at CODEC(Delta, LZ4),
    MODIFY COLUMN value CODEC(LZ4),
    MODIFY COLUMN duration_ms CODEC(LZ4),
    MODIFY COLUMN age CODEC(T64, LZ4);

CREATE OR REPLACE TABLE farside.events ON CLUSTER `main` AS farside_shard.events
ENGINE = Distributed('main', 'farside_shard', 'events', sipHash64(session_id));
