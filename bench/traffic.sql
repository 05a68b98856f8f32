-- Made-up traffic straight into `events`: views `first` to `first + views`, some twelve events each, everything derived
-- from hashes of the view's number, so that a size always holds the same rows. Few routes take most of the traffic, few
-- tenants most of the sessions; Samsung Internet on release 2.15.0 is slow in the checkout, which /compare should find.
INSERT INTO events
(
    app, team, type, event_id, received_at, timestamp, session_id, view_id, user_id, seq, at_ms, route, path, origin,
    navigation, release, environment, browser, browser_version, os, os_version, device, country, viewport_width,
    viewport_height, connection, device_memory, visibility, sample_n, snippet, name, value, duration_ms, status_code,
    trace_id, span_id, url, endpoint, cause, initiator, bytes, target, batch, burst, duplicates, items, stall_ms, depth_px,
    count, error_type, message, fingerprint, flags, flag_sources, attributes
)
WITH
    ['/', '/search', '/collections/:id', '/products/:id', '/basket', '/checkout', '/account', '/orders/:id', '/blog/:slug',
     '/help/:topic', '/stores', '/gifts', '/sale', '/brands/:id', '/reviews/:id', '/checkout/pay'] AS all_routes,
    ['Chrome Mobile', 'Mobile Safari', 'Chrome', 'Samsung Internet', 'Safari', 'Edge', 'Firefox', 'Opera'] AS browsers,
    ['Android', 'iOS', 'Windows', 'Android', 'Mac OS X', 'Windows', 'Linux', 'Android'] AS systems,
    ['DE', 'US', 'FR', 'GB', 'JP', 'BR', 'IN', 'PL', 'ES', 'IT', 'NL', 'SE'] AS countries,
    if(type = 'vital', toUInt8(at_nr - 1), 1) AS vital_nr,
    cityHash64(number, 'v') AS h,
    intDiv(number, 4) AS session,
    cityHash64(session, 's') AS hs,
    -- A uniform number in (0, 1), and from it ranks of which the first are the most frequent.
    (h % 1000003 + 1) / 1000004 AS u,
    (intDiv(h, 1000003) % 1000003 + 1) / 1000004 AS u2,
    (hs % 1000003 + 1) / 1000004 AS us,
    toUInt8(least(15, floor(16 * pow(u, 2.5)))) AS route_nr,
    toUInt8(least(7, floor(8 * pow(us, 1.8)))) AS browser_nr,
    all_routes[route_nr + 1] AS own_route,
    ['2.14.0', '2.15.0', '2.14.0', '2.13.2'][hs % 4 + 1] AS own_release,
    browsers[browser_nr + 1] = 'Samsung Internet' AND own_release = '2.15.0' AND own_route LIKE '/checkout%' AS planted,
    exp(0.45 * sqrt(-2 * log(u)) * cos(2 * pi() * u2)) * if(browser_nr IN (0, 1, 3, 7), 1.4, 1) * if(planted, 2.6, 1) AS slow,
    1600 + 130 * route_nr AS base,
    toInt64({until_ms:Int64} - toInt64({span_ms:Int64}) + toInt64({span_ms:Int64} * (number + 1) / {all:UInt64})) AS at
SELECT
    'demo', 'shop', type,
    concat(hex(h), hex(hs), '.', toString(at_nr)) AS event_id,
    fromUnixTimestamp64Milli(least(at + toInt64(at_nr * 400), {until_ms:Int64}), 'UTC') AS received_at,
    fromUnixTimestamp64Milli(at - 900 + toInt64(at_nr * 60), 'UTC') AS timestamp,
    lower(concat(hex(hs), hex(cityHash64(session)))) AS session_id,
    lower(concat(hex(h), hex(cityHash64(number)))) AS view_id,
    if(hs % 3 = 0, '', concat('u', toString(hs % ({all:UInt64} / 20 + 1)))) AS user_id,
    toUInt32(at_nr > 8) AS seq,
    at_nr * 60. AS at_ms,
    own_route, replaceAll(own_route, ':id', toString(h % 5000)) AS path, 'https://shop.example',
    ['navigate', 'navigate', 'navigate', 'soft', 'reload', 'back-forward'][h % 6 + 1] AS navigation,
    own_release, 'production', browsers[browser_nr + 1] AS browser, toString(140 + hs % 17) AS browser_version,
    systems[browser_nr + 1] AS os, toString(10 + hs % 7) AS os_version,
    if(browser_nr IN (0, 1, 3, 7), 'mobile', 'desktop') AS device,
    countries[toUInt8(least(11, floor(12 * pow((intDiv(hs, 97) % 1009) / 1009, 2)))) + 1] AS country,
    if(device = 'mobile', 360 + hs % 80, 1280 + hs % 700) AS viewport_width,
    if(device = 'mobile', 640 + hs % 300, 700 + hs % 600) AS viewport_height,
    ['4g', '4g', '4g', '3g', 'slow-2g'][intDiv(hs, 7) % 5 + 1] AS connection,
    [8., 4., 2., NULL][intDiv(hs, 11) % 4 + 1] AS device_memory,
    if(intDiv(h, 31) % 40 = 0, 'hidden', 'visible') AS visibility,
    1 AS sample_n, '0.1.0' AS snippet,
    multiIf(type = 'vital', ['TTFB', 'FCP', 'LCP', 'LCP', 'CLS', 'INP'][vital_nr], type = 'fetch', 'GET',
        type = 'feed', 'feed', type = 'error', 'error', type = 'longframe', 'frame', type = 'action', 'click', '') AS name,
    multiIf(type = 'vital', [base * 0.2 * slow, base * 0.7 * slow, base * 0.9 * slow, base * slow,
        round(0.09 * u2 * slow, 4), 140 * slow * (0.5 + u)][vital_nr], type = 'longframe', 90 * slow, NULL) AS value,
    multiIf(type = 'view', base * 1.3 * slow, type IN ('fetch', 'feed', 'resource'), 120 * slow * (0.4 + at_nr % 5),
        type = 'longframe', 140 * slow, NULL) AS duration_ms,
    multiIf(type IN ('view', 'fetch', 'feed', 'resource'), if(type = 'fetch' AND (h + at_nr) % 90 = 0, 500, 200), NULL)
        AS status_code,
    lower(concat(hex(cityHash64(number, 't')), hex(h))) AS trace_id,
    if(type IN ('view', 'fetch'), lower(hex(cityHash64(number, at_nr))), '') AS span_id,
    if(type IN ('fetch', 'feed', 'resource'), concat('/api/', toString(at_nr % 9)), '') AS url, url AS endpoint,
    multiIf(type = 'fetch', ['load', 'load', 'scroll', 'click'][at_nr % 4 + 1], type = 'feed', 'scroll', '') AS cause,
    multiIf(type = 'fetch', 'fetch', type = 'resource', 'script', '') AS initiator,
    multiIf(type IN ('view', 'fetch', 'resource'), 900 + (h + at_nr) % 90000, NULL) AS bytes,
    if(type = 'vital', ['', '', 'img.hero', 'main > img.hero', 'div.banner', 'button.add'][vital_nr], '') AS target,
    if(type = 'feed', at_nr % 6 + 1, NULL) AS batch, if(type = 'feed', 1 + (h % 9 = 0) * 5, NULL) AS burst,
    if(type = 'feed', 0, NULL) AS duplicates, if(type = 'feed', 12, NULL) AS items,
    if(type = 'feed', 60 * slow, NULL) AS stall_ms, if(type = 'feed', 900 * (at_nr % 6 + 1), NULL) AS depth_px,
    if(type = 'error', 1 + h % 3, NULL) AS count,
    if(type = 'error', 'TypeError', '') AS error_type,
    if(type = 'error', concat('Cannot read properties of undefined (reading ', toString(h % 40), ')'), '') AS message,
    if(type = 'error', lower(hex(cityHash64(h % 40))), '') AS fingerprint,
    map('new-feed', if(hs % 2 = 0, 'on', 'off'), 'checkout', ['a', 'b', 'c'][hs % 3 + 1]) AS flags,
    map('new-feed', 'live', 'checkout', if(hs % 50 = 0, 'default', 'live')) AS flag_sources,
    map('plan', ['free', 'pro', 'team'][intDiv(hs, 13) % 3 + 1],
        'tenant', concat('t', toString(toUInt32(2000 * pow((intDiv(hs, 101) % 100003) / 100003, 3))))) AS attributes
FROM
(
    SELECT number, arrayConcat(
        ['view', 'vital', 'vital', 'vital', 'vital', 'vital'], if(cityHash64(number, 'i') % 5 < 3, ['vital'], []),
        arrayWithConstant(2 + cityHash64(number, 'f') % 3, 'fetch'),
        if(cityHash64(number, 'd') % 4 = 0, ['feed', 'feed'], []),
        arrayWithConstant(cityHash64(number, 'r') % 3, 'resource'),
        if(cityHash64(number, 'e') % 33 = 0, ['error'], []), if(cityHash64(number, 'l') % 5 = 0, ['longframe'], []),
        if(cityHash64(number, 'a') % 3 = 0, ['action'], [])) AS types
    FROM numbers({first:UInt64}, {views:UInt64})
)
ARRAY JOIN types AS type, arrayEnumerate(types) AS at_nr
