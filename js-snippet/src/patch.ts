/** Patch: stands in for a function of the browser without being seen.
 *
 * A Proxy has the function's own name, length and prototype, throws its errors from its realm, and what other SDKs
 * wrapped before us, or wrap after us, goes on working.
 */

type Call = (target: any, self: any, args: any[]) => any;

/** `call` does the work, usually by way of `Reflect.apply(target, self, args)`. */
export const patch = (owner: any, name: string, call: Call, construct?: Call): void => {
  const original = owner?.[name];
  if (typeof original !== 'function') return;
  const handler: ProxyHandler<any> = {
    apply: call,
    // Scripts ask "is it native?" by way of toString(), which a Proxy answers without the name.
    get: (target, key) => (key === 'toString' ? () => Function.prototype.toString.call(target) : target[key]),
  };
  if (construct) handler.construct = (target, args, self) => construct(target, self, args);
  try {
    owner[name] = new Proxy(original, handler);
  } catch {
    // Frozen by the page: it stays as it is.
  }
};
