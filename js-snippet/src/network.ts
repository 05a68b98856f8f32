/** Network: what resource and navigation timing know of a request, in the wire's words. */
import { parse, type Parent } from './trace';

interface Timed {
  duration_ms: number;
  phases: Record<string, number> | undefined;
  bytes: number | false;
  status_code: number | undefined;
}

/** Out of a cache of the browser: what it says of traces was said to somebody else. */
export const cached = (e: any): boolean => e.deliveryType === 'cache' || (!e.transferSize && e.decodedBodySize > 0);

/** Whose trace a reply's `Server-Timing` names. */
export const parentOf = (e: any): Parent | undefined => {
  let parent: Parent | undefined;
  e.serverTiming?.forEach(({ name, description }: any) => {
    if (name === 'trace' || name === 'traceparent') parent = parse(description, name === 'trace') || parent;
  });
  return parent;
};

/** Name, end and start (but for that word) of each phase, as timing entries call them; without a start it is a moment of the view. */
const PHASES =
  'redirect,redirectEnd,redirect worker,fetchStart,worker dns,domainLookupEnd,domainLookup connect,connectEnd,connect tls,connectEnd,secureConnection request,responseStart,request response,responseEnd,response dom_interactive,domInteractive dom_content_loaded,domContentLoadedEventEnd load,loadEventEnd activation,activationStart';

/** Phases that took no time are left out; without Timing-Allow-Origin there are none. The server's own measures are
 * phases `server_<name>_ms`. */
export const timed = (e: any, start: number, status?: number): Timed => {
  let phases: Record<string, number> | undefined;
  const put = (name: string, ms: number) => {
    if (ms > 0) (phases ||= {})[name + '_ms'] = ms;
  };
  if (FULL && e.responseStart) {
    // Waiting for a connection, or for its turn on one.
    put('queue', e.requestStart - e.fetchStart - (e.connectEnd - e.connectStart) - (e.domainLookupEnd - e.domainLookupStart));
    PHASES.split(' ').forEach((phase) => {
      const part: any[] = phase.split(',');
      // A start of zero is something that did not happen.
      put(part[0], e[part[1]] - (part[2] ? e[part[2] + 'Start'] || Infinity : 0));
    });
  }
  if (FULL) e.serverTiming?.forEach(({ name, duration }: any) => put('server_' + name.slice(0, 22), duration));
  return {
    duration_ms: e.responseEnd - start,
    phases,
    // Zero without any body size is "not allowed to know", which is not zero.
    bytes: e.encodedBodySize > 0 && e.transferSize,
    status_code: status || e.responseStatus || undefined,
  };
};
