-- Every span a second time, in the order of a hash of its trace: the exporter's order (service, operation, time) scatters a
-- trace over as many granules as it has operations. So a trace lies together, and so does one trace in n, whatever ids look
-- like. A projection lies inside each part: what is inserted, moved, merged, erased or expired takes it along, and there is no
-- second table to keep in step.
ALTER TABLE otel_traces MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE otel_traces ADD PROJECTION IF NOT EXISTS by_trace (SELECT * ORDER BY cityHash64(TraceId) % 65536, TraceId);

-- Spans that are there already follow in the background.
ALTER TABLE otel_traces MATERIALIZE PROJECTION by_trace;
