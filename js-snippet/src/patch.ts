/** Patch: stands in for a function of the browser without being seen.
 *
 * A Proxy has the function's own name, length and prototype, throws its errors from its realm, and what other SDKs
 * wrapped before us, or wrap after us, goes on working.
 */

const undo: (() => void)[] = [];

/** Takes every stand-in back that nobody has wrapped since. */
export const unpatch = (): void => {
  for (const call of undo) call();
};

/** `apply` and `construct` are a Proxy's traps; they end in `Reflect.apply(target, self, args)` and its like. */
export const patch = (
  owner: any,
  name: string,
  apply: ProxyHandler<any>['apply'],
  construct?: ProxyHandler<any>['construct'],
): void => {
  try {
    const original = owner[name];
    // Scripts ask "is it native?" by way of toString(), which a Proxy would answer without the name.
    const get = (target: any, key: string | symbol) => (key === 'toString' ? () => '' + target : target[key]);
    const proxy = (owner[name] = new Proxy(original, { get, apply, construct } as ProxyHandler<any>));
    if (FULL)
      undo.push(() => {
        if (owner[name] === proxy) owner[name] = original;
      });
  } catch {
    // Not there, or frozen by the page: it stays as it is.
  }
};
