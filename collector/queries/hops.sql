-- Part of other queries: one row for each request of a browser (page loads, fetches, XHRs), with the server's span that
-- answered it and, where there is none, the reason. The join is by id, whenever the spans come: a span whose parent is the
-- request, or the one that the reply named. `dark` are also those of whose kind others were joined: see joined.sql.
WITH
    own AS
    (
        SELECT reinterpretAsUInt64(unhex(span_id)) FROM events
        WHERE /* scope */ AND type IN ('fetch', 'view') AND span_id != ''
    ),
    served AS
    (
        SELECT parent_key AS key, any(TraceId) AS trace, argMin(ServiceName, Timestamp) AS service,
            argMin(Duration, Timestamp) AS took_ns, min(received_at) AS came_at
        FROM otel_traces
        WHERE SpanKind NOT IN ('Client', 'Producer') AND ServiceName != 'browser'
            AND received_at > fromUnixTimestamp64Milli({spans_since_ms:Int64}, 'UTC')
            AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
            AND parent_key IN own
        GROUP BY parent_key
    ),
    -- A span that is another request's child is that one's: a cache has given its reply once more.
    named AS
    (
        SELECT span_key AS key, any(TraceId) AS trace, any(ServiceName) AS service, any(Duration) AS took_ns,
            min(received_at) AS came_at, any(parent_key) IN own AS is_others
        FROM otel_traces
        WHERE SpanKind NOT IN ('Client', 'Producer') AND ServiceName != 'browser'
            AND received_at > fromUnixTimestamp64Milli({spans_since_ms:Int64}, 'UTC')
            AND received_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
            AND span_key IN (
                SELECT reinterpretAsUInt64(unhex(server_span_id)) FROM events
                WHERE /* scope */ AND type IN ('fetch', 'view') AND server_span_id != '')
        GROUP BY span_key
    ),
    -- A cache gives many readers one trace; it is its first reader's.
    repeated AS
    (
        SELECT arrayJoin(arrayPopFront(arrayMap(view -> view.2, arraySort(groupUniqArray((received_at, view_key))))))
        FROM events
        WHERE /* scope */ AND type = 'view' AND trace_source IN ('server-timing', 'meta')
        GROUP BY trace_id
        HAVING uniqExact(view_key) > 1
    ),
    matched AS
    (
        SELECT
            event_id, view_id, events.type AS type, events.route AS route, received_at, duration_ms,
            span_id, server_span_id, trace_source AS source, failure, status_code,
            origin AS page_origin, url, endpoint,
            empty(phases) AND bytes IS NULL AS is_opaque,
            if(events.type = 'view' OR startsWith(url, '/'), page_origin, extract(url, '^https?://([^/?#:]+)')) AS host,
            -- When it began by the collector's clock, at the latest: the way here is counted in.
            toUnixTimestamp64Milli(timestamp) + if(clock = 'shifted', 0, clock_offset_ms) AS began_ms,
            served.key != 0 AND served.trace = events.trace_id AS is_served,
            named.key != 0 AND named.trace = events.trace_id AS is_named,
            multiIf(is_served, served.service, is_named, named.service, '') AS answered_by,
            multiIf(is_served, served.took_ns / 1e6, is_named, named.took_ns / 1e6, NULL) AS server_ms,
            NOT is_served AND is_named AND named.is_others OR events.type = 'view' AND (
                view_key IN repeated
                OR clock != 'deferred' AND toUnixTimestamp64Milli(
                    multiIf(is_served, served.came_at, is_named, named.came_at, received_at))
                    < began_ms - {stale_ms:Int64}) AS is_stale
        FROM events
        LEFT ANY JOIN served ON served.key = reinterpretAsUInt64(unhex(events.span_id))
        LEFT ANY JOIN named ON named.key = reinterpretAsUInt64(unhex(events.server_span_id))
        WHERE /* scope */ AND events.type IN ('fetch', 'view')
            AND (events.type = 'fetch' OR navigation NOT IN ('soft', 'restore'))
    )
SELECT
    *,
    source NOT IN ('cached', 'foreign') AND (is_served OR is_named) AND NOT is_stale AS is_joined,
    multiIf(
        is_joined, '',
        source = 'cached' OR is_stale, 'cached',
        source = 'foreign', 'foreign',
        source = 'unsampled', 'unsampled',
        source = '' AND NOT startsWith(page_origin, 'https:')
            AND NOT match(page_origin, '^http://(localhost|127\\.|\\[::1\\]|[^/]*\\.localhost)')
            AND (type = 'view' OR NOT startsWith(url, '/')), 'insecure',
        source = '' AND NOT startsWith(url, '/') AND type = 'fetch' AND is_opaque, 'opaque',
        source = '', 'unasked',
        failure != '' AND ifNull(status_code, 0) = 0, 'unanswered',
        received_at > fromUnixTimestamp64Milli({until_ms:Int64} - {late_ms:Int64}, 'UTC'), 'late',
        server_span_id != '', 'lost',
        'dark') AS reason
FROM matched
