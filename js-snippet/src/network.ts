/** Network: what resource timing knows of a request, in the wire's words. */
import { serverTiming, type Parent } from './trace';
import { tenth } from './text';

export interface Timed {
  phases: Record<string, number> | undefined;
  bytes: number | undefined;
  status_code: number | undefined;
  /** Out of a cache of the browser. */
  _cached: boolean;
  _parent: Parent | undefined;
}

/** Phases that took no time are left out; without Timing-Allow-Origin there are none. */
export const timed = (e: any, more: Record<string, number> = {}): Timed => {
  const phases: Record<string, number> = e.responseStart
    ? {
        queue_ms: (e.domainLookupStart || e.fetchStart) - (e.redirectEnd || e.startTime),
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
  const parent = serverTiming(e, phases);
  let some;
  for (const name in phases) {
    const ms = (phases[name] = tenth(phases[name]!));
    if (ms > 0) some = phases;
    else delete phases[name];
  }
  return {
    phases: some,
    // Zero without any body size is "not allowed to know", which is not zero.
    bytes: e.transferSize || e.encodedBodySize ? e.transferSize : undefined,
    status_code: e.responseStatus || undefined,
    _cached: e.deliveryType === 'cache' || (!e.transferSize && e.decodedBodySize > 0),
    _parent: parent,
  };
};
