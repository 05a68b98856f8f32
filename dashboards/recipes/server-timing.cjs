// Server-Timing for Express: tell the browser which trace its request belongs to.
//
//   const { ServerTimingPropagator, serverTiming } = require('./server-timing.cjs');
//   propagation.setGlobalPropagator(new ServerTimingPropagator());   // or new NodeSDK({ textMapPropagator: … })
//   app.use(serverTiming);                                           // before everything else
//
// A page asked for without `traceparent` gets a new trace, in which the browser's span is the root and the server's its
// child: the browser learns both ids from `trace`. A request with `traceparent` (a fetch) learns the server's span from
// `traceparent`. A reply that a cache may keep says nothing: it would tell the next reader somebody else's trace.
'use strict';
const { randomBytes } = require('node:crypto');
const { context, createContextKey, trace, TraceFlags } = require('@opentelemetry/api');
const { getRPCMetadata, W3CTraceContextPropagator } = require('@opentelemetry/core');

const OFFERED = createContextKey('server-timing: the span offered to the browser');

// Browsers send Sec-Fetch-Dest over https and to loopback only: https://w3c.github.io/webappsec-fetch-metadata/
const isDocument = (headers) =>
  headers['sec-fetch-dest'] ? headers['sec-fetch-dest'] === 'document' : /text\/html/.test(headers.accept || '');

/** W3C's propagator, which makes up the browser's span for a page that comes without one. `ratio`: share sampled. */
class ServerTimingPropagator extends W3CTraceContextPropagator {
  constructor(ratio = 1) {
    super();
    this.ratio = ratio;
  }

  extract(ctx, carrier, getter) {
    if (carrier.traceparent || !isDocument(carrier)) return super.extract(ctx, carrier, getter);
    const traceId = randomBytes(16).toString('hex');
    // The same rule as OpenTelemetry's ratio samplers: the trace id decides.
    const sampled = parseInt(traceId.slice(16, 28), 16) < this.ratio * 2 ** 48;
    const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const browser = { traceId, spanId: randomBytes(8).toString('hex'), traceFlags, isRemote: true };
    return trace.setSpanContext(ctx, browser).setValue(OFFERED, browser);
  }
}

const cacheable = (reply) => {
  const control = String(reply.getHeader('cache-control') || '').toLowerCase();
  if (/no-store|no-cache/.test(control)) return false;
  // Without Cache-Control a cache may guess from Last-Modified: RFC 9111, section 4.2.2
  return /public|immutable|(?:max-age|s-maxage)=0*[1-9]/.test(control) || reply.hasHeader('expires') ||
    (!control && reply.hasHeader('last-modified'));
};

const serverTiming = (request, reply, next) => {
  const here = context.active();
  const offered = here.getValue(OFFERED);
  const span = offered || (request.headers.traceparent && getRPCMetadata(here)?.span.spanContext());
  if (span) {
    const { writeHead } = reply;
    reply.writeHead = function (...head) {
      const entry = `00-${span.traceId}-${span.spanId}-0${span.traceFlags & 1}`;
      if (!cacheable(reply)) reply.appendHeader('Server-Timing', `${offered ? 'trace' : 'traceparent'};desc="${entry}"`);
      return writeHead.apply(this, head);
    };
  }
  next();
};

module.exports = { ServerTimingPropagator, serverTiming };
