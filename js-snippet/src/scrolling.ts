/** Scrolling: whether what runs now goes back to a scroll, through IntersectionObserver, throttles and debounces.
 *
 * Nothing of the page is wrapped but an observer's callback: what a scroll handler puts off runs between two timers of
 * ours with the same delay, which browsers run in order. So stacks and long-frame attribution stay the page's own.
 */
import { kindOf } from './cause';
import { patch } from './patch';

/** Above zero while it does. */
let depth = 0;
const enter = () => void depth++;
const leave = () => void depth--;

export const scrolling = (): boolean => depth > 0;

export const followScrolls = (): void => {
  patch(window, 'IntersectionObserver', undefined, (target, args, self) => {
    const [callback] = args;
    if (callback)
      args[0] = function (this: unknown, ...given: any[]) {
        // A sentinel that left the view asks for nothing. Promises and schedulers that go on from here belong to it.
        if (given[0].some((e: IntersectionObserverEntry) => e.isIntersecting)) {
          enter();
          setTimeout(leave);
        }
        return callback.apply(this, given);
      };
    return Reflect.construct(target, args, self);
  });
  for (const name of ['setTimeout', 'requestAnimationFrame'])
    patch(window, name, (target, self, args) => {
      const ours = depth || kindOf(window.event) === 'scroll';
      if (ours) target.call(window, enter, args[1]);
      const id = Reflect.apply(target, self, args);
      if (ours) target.call(window, leave, args[1]);
      return id;
    });
};
