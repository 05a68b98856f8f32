"""A store filled with traces in the engine itself: views with their fetches, and behind each fetch its backend's spans.

Ids are hashes of numbers, so that browser and backend agree on them without a table in between.
"""

from collector.store import Store

VIEW_EVENTS = """
INSERT INTO events (app, team, type, event_id, received_at, timestamp, session_id, view_id, user_id, seq, at_ms,
    route, path, origin, navigation, release, browser, os, device, visibility, sample_n, name, duration_ms, status_code,
    trace_id, span_id, server_span_id, trace_source, url, endpoint, cause, initiator, bytes, phases)
WITH intDiv(number, {each:UInt32}) AS view, number % {each:UInt32} AS nr,
    toDateTime64({until_ms:Int64} / 1000 - 3590. * (1 - view / {views:UInt32}), 3, 'UTC') AS began
SELECT 'demo', 'shop', if(nr = 0, 'view', if(nr <= {fetches:UInt32}, 'fetch', 'vital')),
    concat(hex(MD5(toString(view))), '.', toString(nr)), began + 2, began + nr * 0.1,
    lower(hex(MD5(concat('s', toString(intDiv(view, 4)))))),
    lower(hex(MD5(concat('v', toString(view))))), concat('u', toString(view % 9000)), 0, nr * 100.,
    ['/', '/list', '/products/:id', '/basket', '/checkout'][view % 5 + 1], '/x', 'https://shop.example', 'navigate',
    '2.15.0', 'Chrome', 'Windows', 'desktop', 'visible', 1, if(nr = 0, '', if(nr <= {fetches:UInt32}, 'GET', 'LCP')),
    50. + cityHash64(number) % 400, 200, lower(hex(MD5(concat('t', toString(view))))),
    if(nr <= {fetches:UInt32}, lower(hex(sipHash64(number))), ''), '', if(nr = 0, 'server-timing', 'header'),
    if(nr <= {fetches:UInt32}, concat('/api/', toString(number % 40)), ''), concat('/api/', toString(number % 40)),
    'load', 'fetch', 4000, map('request_ms', 40., 'response_ms', 3.)
FROM numbers({views:UInt64} * {each:UInt64})
"""
SPANS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode, received_at)
WITH intDiv(number, {below:UInt32}) AS request, number % {below:UInt32} AS nr,
    intDiv(request, {fetches:UInt32} + 1) AS view, request % ({fetches:UInt32} + 1) AS fetch,
    view * {each:UInt32} + fetch AS event,
    toDateTime64({until_ms:Int64} / 1000 - 3590. * (1 - view / {views:UInt32}), 9, 'UTC') + fetch * 0.1 AS began,
    ['web', 'product', 'image', 'stock'][if(nr < 2, nr + 1, nr % 4 + 1)] AS service
SELECT began + 0.01 + nr * 0.002, lower(hex(MD5(concat('t', toString(view))))), lower(hex(sipHash64('b', number))),
    if(nr = 0, lower(hex(sipHash64(event))), lower(hex(sipHash64('b', number - if(nr < 3, 1, 2))))),
    if(nr = 0, concat('GET /api/', toString(event % 40)),
        concat(['SELECT stock', 'GET', 'GET /products', 'UPDATE basket'][nr % 4 + 1])),
    if(nr = 0, 'Server', if(nr = 1, 'Client', if(nr = 2, 'Server', 'Client'))), service,
    map('service.name', service, 'host.name', concat(service, '-', toString(view % 3))),
    if(nr > 2, map('db.system.name', 'postgresql', 'db.query.text', 'SELECT * FROM stock WHERE id = ?'),
        map('http.route', '/api')),
    toUInt64(3e7 / (1 + nr)) + cityHash64(number) % 5000000, if(cityHash64(number) % 200 = 0, 'Error', 'Unset'), began + 1
FROM numbers({views:UInt64} * ({fetches:UInt64} + 1) * {below:UInt64})
"""
BROWSER_SPANS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode, received_at)
SELECT timestamp, trace_id, span_id, if(type = 'view', '', lower(hex(sipHash64(toUInt64(0))))), if(type = 'view',
    concat('view ', route), concat('GET ', endpoint)), if(type = 'view', 'Internal', 'Client'), 'browser',
    map('service.name', 'browser', 'service.namespace', app, 'session.id', session_id),
    map('farside.type', toString(type), 'farside.view_id', view_id,
    'farside.event_id', event_id, 'farside.route', toString(route), 'farside.trace_source', toString(trace_source)),
    toUInt64(duration_ms * 1e6), 'Unset', received_at
FROM events WHERE type IN ('view', 'fetch')
"""
FETCHES, EACH = 5, 20


def fill(store: Store, until_ms: int, events: int, spans: int) -> None:
    """So many events of the hour before `until_ms`, a twentieth of them views with five fetches each, and so many spans."""
    views = events // EACH
    below = max(1, spans // (views * (FETCHES + 1)))
    parameters = {"views": views, "each": EACH, "fetches": FETCHES, "below": below, "until_ms": until_ms}
    for statement in (VIEW_EVENTS, SPANS, BROWSER_SPANS):
        store.read(statement, parameters, max_execution_time=600, async_insert=0, insert_deduplicate=0)
