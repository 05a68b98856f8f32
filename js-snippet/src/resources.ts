/** Resources: of all assets the slowest, the largest and the failed; third parties summed, one event each. */
import { onFlush } from './delivery';
import { observe } from './guard';
import { timed } from './network';
import { cleanUrl } from './text';
import { emit } from './view';

const MOST = 4;

export const resources = (): void => {
  let seen: any[] = [];
  observe('resource', (e) => {
    if (!/^(fetch|xml|beacon)/.test(e.initiatorType)) seen.push(e);
  });
  onFlush(() => {
    const own = seen.filter((e) => e.name.startsWith(location.origin) || e.responseStatus >= 400);
    const picked = new Set<any>();
    for (const by of ['responseStatus', 'duration', 'transferSize'])
      for (const e of own.sort((a, b) => b[by] - a[by]).slice(0, MOST)) picked.add(e);
    for (const e of picked)
      emit('resource', e.startTime, {
        url: cleanUrl(e.name),
        initiator: e.initiatorType,
        duration_ms: e.duration,
        ...timed(e),
      });
    const sums: Record<string, any> = {};
    for (const e of seen) {
      const { origin, protocol } = new URL(e.name);
      if (own.includes(e) || !/^http/.test(protocol)) continue;
      const sum = (sums[origin] ||= { _at: e.startTime, count: 0, bytes: 0, duration_ms: 0 });
      sum.count++;
      sum.bytes += e.transferSize;
      sum.duration_ms += e.duration;
    }
    for (const [url, { _at, ...sum }] of Object.entries(sums))
      emit('resource', _at, { url, initiator: 'third-party', ...sum });
    seen = [];
  });
};
