-- The ids of spans as numbers, by which a request is joined to whoever answered it: as text they are read and compared at a
-- third of the speed.
ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS span_key UInt64
    MATERIALIZED reinterpretAsUInt64(unhex(SpanId)) CODEC(ZSTD(1));

ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS parent_key UInt64
    MATERIALIZED reinterpretAsUInt64(unhex(ParentSpanId)) CODEC(ZSTD(1));

-- Spans that are there already follow in the background; until then both are worked out when they are read.
ALTER TABLE otel_traces MATERIALIZE COLUMN span_key, MATERIALIZE COLUMN parent_key;
