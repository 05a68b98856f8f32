/** Trace: W3C trace context, written on the way out and read on the way back. */
import { hex } from './text';

export interface Parent {
  _trace: string;
  _span: string;
  /** True for W3C's `trace`, whose id is offered to the browser's own span; false for `traceparent`, the server's span. */
  _ours: boolean;
}

export const parse = (header: string | null | undefined, ours = false): Parent | undefined => {
  const m = /^\s*\w\w-([\da-f]{32})-([\da-f]{16})-\w\w/.exec(header || '');
  return m ? { _trace: m[1]!, _span: m[2]!, _ours: ours } : undefined;
};

/** What a reply's `Server-Timing` says: whose trace, and the server's own measures as `server_<name>_ms`. */
export const serverTiming = (
  entry: PerformanceResourceTiming,
  phases: Record<string, number>,
): Parent | undefined => {
  let parent: Parent | undefined;
  for (const { name, description, duration } of entry.serverTiming || []) {
    if (name === 'trace' || name === 'traceparent') parent = parse(description, name === 'trace') || parent;
    else if (duration) phases[`server_${name.slice(0, 22)}_ms`] = duration;
  }
  return parent;
};

export const newTrace = (): string => hex(16);
export const newSpan = (): string => hex(8);
