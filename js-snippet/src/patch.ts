/** Patch: stands in for a function of the browser without being seen.
 *
 * A Proxy has the function's own name, length and prototype, throws its errors from its realm, and what other SDKs
 * wrapped before us, or wrap after us, goes on working.
 */

import { safe } from './guard';

const undo: (() => void)[] = [];

/** Takes every stand-in back that nobody has wrapped since. */
export const unpatch = (): void => {
  undo.forEach((call) => call());
};

/** Told of a call before it is made, and may change its arguments. What that gives back is told what came of the call,
 * must not throw, and may give the caller something else. */
type Before = (self: any, args: any[], target: any) => void | ((result: any) => unknown);

export const patch = (owner: any, name: string, before: Before): void => {
  const told = safe(before);
  try {
    const original = owner[name];
    const proxy = (owner[name] = new Proxy(original, {
      // Scripts ask "is it native?" by way of toString(), which a Proxy would answer without the name.
      get: (target, key) => (key === 'toString' ? () => '' + target : target[key]),
      apply(target, self, args) {
        const after = told(self, args, target);
        const result = Reflect.apply(target, self, args);
        return after?.(result) ?? result;
      },
      ...(FULL && {
        construct(target, args, self) {
          told(self, args, target);
          return Reflect.construct(target, args, self);
        },
      }),
    } as ProxyHandler<any>));
    if (FULL)
      undo.push(() => {
        if (owner[name] === proxy) owner[name] = original;
      });
  } catch {
    // Not there, or frozen by the page: it stays as it is.
  }
};
