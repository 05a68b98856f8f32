/** Vitals: LCP, INP, CLS, FCP and TTFB as web-vitals measures them, each with what was to blame.
 *
 * Every change amends the waiting event, so that a page which dies without a word has left its last value.
 */
import { onCLS } from 'web-vitals/onCLS.js';
import { onFCP } from 'web-vitals/onFCP.js';
import { onINP } from 'web-vitals/onINP.js';
import { onLCP } from 'web-vitals/onLCP.js';
import { onTTFB } from 'web-vitals/onTTFB.js';
import { safe } from './guard';
import { cleanUrl, selector, tenth } from './text';
import { change, emit, view, views, type View } from './view';
import type { Event } from './wire';

interface Metric {
  name: string;
  value: number;
  entries: any[];
  navigationStartTime?: number;
}

/** web-vitals knows views by their start; ours are known from a moment not before it. */
const viewOf = (start: number): View => views.find((v) => v._created >= start - 1) || view;

const phases = (fields: Record<string, number>): Record<string, number> => {
  for (const name in fields) fields[name] = tenth(Math.max(0, fields[name]!));
  return fields;
};

/** The parts of LCP: https://web.dev/articles/optimize-lcp#lcp-breakdown */
const blameLcp = (value: number, entry: any, start: number): Partial<Event> => {
  const nav = performance.getEntriesByType('navigation')[0] as any;
  const zero = start || nav?.activationStart || 0;
  const ttfb = start ? 0 : Math.max(0, (nav?.responseStart || 0) - zero);
  const asset: any =
    entry.url && performance.getEntriesByName(entry.url).filter((e) => e.startTime <= entry.startTime).pop();
  const from = asset ? Math.max(ttfb, (asset.requestStart || asset.startTime) - zero) : ttfb;
  const until = asset ? Math.min(value, Math.max(from, asset.responseEnd - zero)) : from;
  return {
    target: selector(entry.element) || (entry.id ? '#' + entry.id : undefined),
    url: entry.url && cleanUrl(entry.url),
    phases: phases({
      ttfb_ms: ttfb,
      load_delay_ms: from - ttfb,
      load_ms: until - from,
      render_delay_ms: value - until,
    }),
  };
};

const blameInp = (value: number, entries: any[]): Partial<Event> => {
  const first = entries[0];
  const start = first.startTime;
  const processing = Math.min(...entries.map((e) => e.processingStart));
  // Durations are rounded to 8 ms, so that processing may seem to end after the paint.
  const processed = Math.min(start + value, Math.max(...entries.map((e) => e.processingEnd)));
  const hit = entries.find((e) => e.target || e.targetSelector) || first;
  return {
    target: selector(hit.target) || hit.targetSelector,
    cause: first.name.startsWith('key') ? 'keyboard' : 'pointer',
    phases: phases({
      input_delay_ms: processing - start,
      processing_ms: processed - processing,
      presentation_ms: start + value - processed,
    }),
  };
};

const report = (metric: Metric): void => {
  const { name, value, entries } = metric;
  const start = metric.navigationStartTime || 0;
  const v = viewOf(start);
  const worst = name === 'CLS' ? entries.reduce((a, b) => (b.value > a.value ? b : a), { value: -1 }) : entries[entries.length - 1];
  const fields: Partial<Event> = { name, value };
  if (worst)
    Object.assign(
      fields,
      name === 'LCP'
        ? blameLcp(value, worst, start)
        : name === 'INP'
          ? blameInp(value, entries)
          : name === 'CLS' && { target: selector((worst.sources || []).find((s: any) => s.node?.nodeType === 1)?.node) },
    );
  // A navigation entry starts at 0 and is no use as a moment; TTFB and FCP are moments themselves.
  const at = name === 'TTFB' || !worst?.startTime ? start + (name === 'CLS' ? 0 : value) : worst.startTime;
  const known = v._events.find((event) => event.type === 'vital' && event.name === name);
  if (known) {
    // The element may be gone by the time a value is confirmed: keep what was known of it.
    if (!fields.target) delete fields.target;
    Object.assign(known, fields);
    change(v, true);
  } else emit('vital', at, fields, v, true);
};

export const vitals = (): void => {
  const all = { reportAllChanges: true, reportSoftNavs: true };
  for (const watch of [onLCP, onCLS, onINP, onFCP, onTTFB]) (watch as any)(safe(report), all);
};
