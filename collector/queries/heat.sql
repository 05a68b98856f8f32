-- Where the views of one vital lie: counted by slice of time and by step of value. A value's step is the number
-- of edges it has reached. Each cell names its slowest view.
SELECT
    bucket,
    step,
    toInt64(sum(weight)) AS views,
    lower(hex(reinterpretAsFixedString(argMax(view, value)))) AS view_id
FROM
(
    SELECT
        view,
        toInt64(floor((toUnixTimestamp64Milli(came_at) - 1 - {since_ms:Int64}) / {step_ms:Float64})) AS bucket,
        weight,
        multiIf({vital:String} = 'LCP', lcp, {vital:String} = 'INP', inp, {vital:String} = 'CLS', cls,
            {vital:String} = 'FCP', fcp, ttfb) AS value,
        toUInt16(arrayCount(edge -> edge <= assumeNotNull(value), {edges:Array(Float64)})) AS step
    FROM (/* latest */)
    WHERE NOT is_hidden AND value IS NOT NULL
)
GROUP BY bucket, step
ORDER BY bucket, step
