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

// The browser's own: a page may have wrapped them since, and so may we.
const { setTimeout: timer, requestAnimationFrame: frame } = globalThis;

export const wait = (call: () => void, ms?: number): any => timer(safe(call), ms);

export const nextFrame = (call: () => void): void => void frame(safe(call));

/** Listens in the capture phase, so that a page's stopPropagation() cannot hide an event from us; never cancels one. */
export const on = (types: string, call: (event: any) => void, target: EventTarget = window, capture = true): void => {
  types.split(' ').forEach((type) => target.addEventListener(type, safe(call), capture));
};

/** One observer for all: each costs the page an object, a task and a queue. */
let observer: PerformanceObserver | undefined;
const callsOf: Record<string, ((entry: any) => void)[]> = {};

// Here as in all that runs often: calls of forEach, for V8 makes three times as much code of a loop with `of`.
const tell = (entries: PerformanceEntryList): void =>
  entries.forEach((entry) => callsOf[entry.entryType]!.forEach((call) => call(entry)));

/** Calls back with performance entries of one type, those from before included; does nothing where the type is unknown.
 * Who asks for the same type asks in the same task: the entries from before come once. */
export const observe = safe((type: string, call: (entry: any) => void): boolean => {
  // Asked first: observing an unknown type makes some browsers write to the console.
  if (!PerformanceObserver.supportedEntryTypes.includes(type)) return false;
  if ((callsOf[type] ||= []).push(safe(call)) < 2)
    // The threshold is for events, whose own is 104 ms; no other type heeds it.
    (observer ||= new PerformanceObserver((list) => tell(list.getEntries()))).observe({ type, buffered: true, durationThreshold: 40 } as object);
  return true;
});

/** Entries the browser has but has not delivered: asked for before the last beacon. */
export const drain = (): void => tell(observer ? observer.takeRecords() : []);
