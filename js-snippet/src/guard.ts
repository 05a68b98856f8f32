/** Guard: the wall between us and the page.
 *
 * Whatever the browser calls of ours is called through `safe`: a failure of ours is counted into the next beacon's
 * `dropped` and never reaches the page.
 */

let dropped: Record<string, number> | undefined;

/** Counts what was dropped since the last beacon, by reason. */
export const drop = (reason: string, n = 1): void => {
  dropped ||= {};
  dropped[reason] = (dropped[reason] || 0) + n;
};

/** Hands over the counts and starts again from none. */
export const takeDropped = (): Record<string, number> | undefined => {
  const counts = dropped;
  dropped = undefined;
  return counts;
};

export const safe =
  <A extends unknown[], R>(call: (...args: A) => R) =>
  (...args: A): R | undefined => {
    try {
      return call(...args);
    } catch {
      drop('internal');
      return;
    }
  };

/** Listens in the capture phase, so that a page's stopPropagation() cannot hide an event from us; never cancels one. */
export const on = (types: string, call: (event: any) => void, target: EventTarget = window, capture = true): void => {
  for (const type of types.split(' ')) target.addEventListener(type, safe(call), { capture, passive: true });
};

const undelivered: (() => void)[] = [];

/** Calls back with performance entries of one type, those from before included; does nothing where the type is unknown. */
export const observe = safe((type: string, call: (entry: any) => void, options?: object): boolean => {
  // Asked first: observing an unknown type makes some browsers write to the console.
  if (!PerformanceObserver.supportedEntryTypes.includes(type)) return false;
  const each = (entries: PerformanceEntryList) => entries.forEach(safe(call));
  const observer = new PerformanceObserver((list) => each(list.getEntries()));
  observer.observe({ type, buffered: true, ...options });
  undelivered.push(() => each(observer.takeRecords()));
  return true;
});

/** Entries the browser has but has not delivered: asked for before the last beacon. */
export const drain = (): void => {
  for (const take of undelivered) take();
};
