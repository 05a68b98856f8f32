/** Blame: which element, asset and phase made a vital what it is. */
import { cleanUrl, selector } from './text';
import type { Event } from './wire';

/** The parts of LCP: https://web.dev/articles/optimize-lcp#lcp-breakdown */
export const blameLcp = (value: number, entry: any, zero: number, ttfb: number): Partial<Event> => {
  const { url, element, id, startTime } = entry;
  const asset: any = FULL && url && performance.getEntriesByName(url).findLast((e) => e.startTime <= startTime);
  const from = asset ? Math.max(ttfb, (asset.requestStart || asset.startTime) - zero) : ttfb;
  const until = asset ? Math.min(value, Math.max(from, asset.responseEnd - zero)) : from;
  return {
    target: selector(element) || (id && '#' + id),
    url: url && cleanUrl(url),
    phases: FULL
      ? {
          ttfb_ms: ttfb,
          load_delay_ms: from - ttfb,
          load_ms: until - from,
          render_delay_ms: Math.max(0, value - until),
        }
      : undefined,
  };
};

/** When a frame was drawn, and from when until when events were handled in it. */
export interface Frame {
  _drawn: number;
  _from: number;
  _until: number;
}

/** The parts of INP: https://web.dev/articles/optimize-inp */
export const blameInp = (value: number, entries: any[]): Partial<Event> => {
  const { startTime, name, _frame } = entries[0];
  const hit = entries.find((e) => e.target) || entries[0];
  const from = FULL ? Math.max(startTime, _frame._from) : 0;
  // Rounded durations make processing seem to end after the paint.
  const until = FULL ? Math.min(startTime + value, _frame._until) : 0;
  return {
    target: selector(hit.target) || hit._name,
    cause: /^key/.test(name) ? 'keyboard' : 'pointer',
    phases: FULL
      ? {
          input_delay_ms: from - startTime,
          processing_ms: Math.max(0, until - from),
          presentation_ms: Math.max(0, startTime + value - until),
        }
      : undefined,
  };
};
