/** Scrolling: whether what runs now goes back to a scroll, through IntersectionObserver, throttles and debounces.
 *
 * Nothing of the page is wrapped but an observer's callback: what a scroll handler puts off runs between two timers of
 * ours with the same delay, which browsers run in order. So stacks and long-frame attribution stay the page's own.
 */
import { wait } from './guard';
import { kindOf } from './cause';
import { patch } from './patch';

/** Above zero while it does. */
let depth = 0;
const enter = () => void depth++;
const leave = () => void depth--;

export const scrolling = (): boolean => depth > 0;

export const followScrolls = (): void => {
  patch(window, 'IntersectionObserver', (_, args) => {
    const [callback] = args;
    if (callback)
      args[0] = function (this: unknown, ...given: any[]) {
        // A sentinel that left the view asks for nothing. Promises and schedulers that go on from here belong to it.
        if (given[0].some((e: IntersectionObserverEntry) => e.isIntersecting)) {
          enter();
          wait(leave);
        }
        return callback.apply(this, given);
      };
  });
  ['setTimeout', 'requestAnimationFrame'].forEach((name) =>
    patch(window, name, (_, args, target) => {
      if (!depth && kindOf(window.event) !== 'scroll') return;
      target.call(window, enter, args[1]);
      return () => void target.call(window, leave, args[1]);
    }),
  );
};
