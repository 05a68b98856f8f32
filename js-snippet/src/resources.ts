/** Resources: of all assets the slowest, the largest and the failed; third parties summed, one event each. */
import { leaving } from './delivery';
import { observe } from './guard';
import { timed } from './network';
import { cleanUrl } from './text';
import { emit } from './view';

const MOST = 4;

export const resources = (): void => {
  let seen: any[] = [];
  observe('resource', (e) => {
    // Icons and the like are nobody's wait, unless they fail.
    if (!/^(fetch|xml|beacon|other)/.test(e.initiatorType) || e.responseStatus >= 400) seen.push(e);
  });
  leaving.push(() => {
    const own = seen.filter((e) => e.name.startsWith(location.origin) || e.responseStatus >= 400);
    const most = (by: string) => own.sort((a, b) => b[by] - a[by]).slice(0, MOST);
    new Set(['responseStatus', 'duration', 'transferSize'].flatMap(most)).forEach((e) =>
      emit(e.startTime, {
        type: 'resource',
        url: cleanUrl(e.name),
        initiator: e.initiatorType,
        ...timed(e, e.startTime),
      }),
    );
    const sums: Record<string, any> = {};
    seen.forEach((e) => {
      const { origin } = new URL(e.name);
      if (own.includes(e) || !/^h/.test(origin)) return;
      const sum = (sums[origin] ||= emit(e.startTime, {
        type: 'resource',
        url: origin,
        initiator: 'third-party',
        count: 0,
        bytes: 0,
        duration_ms: 0,
      }));
      sum.count++;
      sum.bytes += e.transferSize;
      sum.duration_ms += e.duration;
    });
    seen = [];
  });
};
