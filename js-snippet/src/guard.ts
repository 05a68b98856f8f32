/** Guard: the wall between us and the page.
 *
 * Whatever the browser calls of ours is called through `safe`: a failure of ours is counted into the next beacon's
 * `dropped` and never reaches the page.
 */

/** What was dropped since the last beacon, by reason. */
export let dropped: Record<string, number> = {};

export const drop = (reason: string, n = 1): void => {
  dropped[reason] = (dropped[reason] || 0) + n;
};

/** Hands over the counts and starts again from none. */
export const takeDropped = (): Record<string, number> | undefined => {
  const counts = dropped;
  dropped = {};
  for (const _ in counts) return counts;
  return;
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
export const on = (
  target: EventTarget,
  types: string,
  call: (event: any) => void,
  options: AddEventListenerOptions = { capture: true, passive: true },
): void => {
  for (const type of types.split(' ')) target.addEventListener(type, safe(call), options);
};

/** Calls back with performance entries of one type, those from before included; does nothing where the type is unknown. */
export const observe = (
  type: string,
  call: (entry: any) => void,
  options?: PerformanceObserverInit & { durationThreshold?: number },
): PerformanceObserver | undefined => {
  try {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(safe(call)));
    observer.observe({ type, buffered: true, ...options });
    return observer;
  } catch {
    return; // an entry type this browser does not have
  }
};
