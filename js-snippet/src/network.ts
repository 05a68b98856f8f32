/** Network: what resource and navigation timing know of a request, in the wire's words. */
import { parse, type Parent } from './trace';

interface Timed {
  phases: Record<string, number> | undefined;
  bytes: number | undefined;
  status_code: number | undefined;
}

/** Out of a cache of the browser: what it says of traces was said to somebody else. */
export const cached = (e: any): boolean => e.deliveryType === 'cache' || (!e.transferSize && e.decodedBodySize > 0);

/** Whose trace a reply's `Server-Timing` names. */
export const parentOf = (e: any): Parent | undefined => {
  let parent: Parent | undefined;
  for (const { name, description } of e.serverTiming || [])
    if (/^trace(parent)?$/.test(name)) parent = parse(description, name === 'trace') || parent;
  return parent;
};

/** Phases that took no time are left out; without Timing-Allow-Origin there are none. The server's own measures are
 * phases `server_<name>_ms`. */
export const timed = (e: any, status?: number, more?: Record<string, number>): Timed => {
  const took: Record<string, number> = e.responseStart
    ? {
        ...(FULL && {
          // Waiting for a connection, or for its turn on one.
          queue_ms: e.requestStart - e.startTime - (e.connectEnd - e.connectStart) - (e.domainLookupEnd - e.domainLookupStart),
        }),
        redirect_ms: e.redirectEnd - e.redirectStart,
        worker_ms: e.workerStart && e.fetchStart - e.workerStart,
        dns_ms: e.domainLookupEnd - e.domainLookupStart,
        connect_ms: e.connectEnd - e.connectStart,
        tls_ms: e.secureConnectionStart && e.connectEnd - e.secureConnectionStart,
        request_ms: e.responseStart - e.requestStart,
        response_ms: e.responseEnd - e.responseStart,
        ...more,
      }
    : {};
  if (FULL) for (const { name, duration } of e.serverTiming || []) took[`server_${name.slice(0, 22)}_ms`] = duration;
  let phases: Record<string, number> | undefined;
  for (const [name, ms] of Object.entries(took)) if (ms > 0) (phases ||= {})[name] = ms;
  return {
    phases,
    // Zero without any body size is "not allowed to know", which is not zero.
    bytes: e.encodedBodySize ? e.transferSize : undefined,
    status_code: status || e.responseStatus || undefined,
  };
};
