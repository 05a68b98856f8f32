/** Cause: what made the page do something. The event being handled if there is one, else the last input within a second. */
import { on } from './guard';
import { patch } from './patch';
import { now } from './view';
import type { Cause } from './wire';

const KINDS: Record<string, Cause> = {};
for (const [kind, types] of [
  ['click', 'click pointerdown pointerup mousedown mouseup touchend submit change'],
  ['key', 'keydown keyup keypress input beforeinput'],
  ['scroll', 'scroll wheel touchmove scrollend'],
  ['navigation', 'popstate hashchange navigate currententrychange navigatesuccess'],
] as [Cause, string][])
  for (const type of types.split(' ')) KINDS[type] = kind;

let last: Cause = 'load';
let lastAt = -1e9;
let loaded = Infinity;

/** When the reader last scrolled, on the performance clock. */
export let scrolledAt = -1e9;

/** A moment that owns what follows it. */
export const note = (kind: Cause, at = now()): void => {
  if (kind === 'scroll') scrolledAt = at;
  last = kind;
  lastAt = at;
};

/** The cause of what happens now, and whether it is certain or only the likeliest. */
export const cause = (): [kind: Cause, certain: boolean] => {
  const event = window.event;
  const kind = event?.isTrusted && KINDS[event.type];
  if (kind) return [kind, true];
  const t = now();
  const recent = t - lastAt < 1000;
  // Content that came into view because of a click, or while the page loads, was not scrolled to.
  if (revealing) return [recent ? last : t - loaded < 1000 ? 'load' : 'scroll', true];
  return [recent ? last : t - loaded < 1000 ? 'load' : 'timer', false];
};

/** Above zero while a handler of ours-to-watch runs: an intersection, or what a scroll handler put off. */
let revealing = 0;
const enter = () => void revealing++;
const exit = () => void revealing--;

/** Follows scrolling through IntersectionObserver, throttles and debounces.
 *
 * Nothing of the page is wrapped but an observer's callback: what a scroll handler defers runs between two timers of
 * ours with the same delay, which browsers run in order. So stacks and long-frame attribution stay the page's own.
 */
export const followScrolls = (): void => {
  patch(window, 'IntersectionObserver', Reflect.apply, (target, self, [callback, ...rest]) =>
    Reflect.construct(
      target,
      [
        typeof callback === 'function'
          ? function (this: unknown, ...args: any[]) {
              // Promises and framework schedulers that go on from here still belong to it.
              if (args[0]?.some?.((e: IntersectionObserverEntry) => e.isIntersecting)) {
                enter();
                setTimeout(exit);
              }
              return callback.apply(this, args);
            }
          : callback,
        ...rest,
      ],
      self,
    ),
  );
  for (const name of ['setTimeout', 'requestAnimationFrame'])
    patch(window, name, (target, self, args) => {
      const ours = revealing || KINDS[window.event?.type || ''] === 'scroll';
      if (ours) target.call(window, enter, args[1]);
      const id = Reflect.apply(target, self, args);
      if (ours) target.call(window, exit, args[1]);
      return id;
    });
};

export const watchCauses = (): void => {
  on(window, 'click keydown wheel touchmove scroll popstate', (event) => {
    if (event.isTrusted) note(KINDS[event.type]!);
  });
  const done = () => {
    loaded = now();
  };
  loaded = now() + 6e5;
  if (document.readyState === 'complete') done();
  else on(window, 'load', (event) => event.target === document && done());
};
