/** The loader: pasted inline, it keeps what happens before farside.js runs: calls, errors, rejections and policy violations. */
((w: any, kept: unknown[], calls: unknown[]) => {
  const listen = (event: unknown) => kept.length < 50 && kept.push(event);
  const stub: any = (w.farside = {
    q: calls,
    e: kept,
    x: () => each((type) => w.removeEventListener(type, listen, true)),
  });
  const each = (call: (type: string) => void) => ['error', 'unhandledrejection', 'securitypolicyviolation'].forEach(call);
  each((type) => w.addEventListener(type, listen, true));
  'init route user set flag error mark consent optOut'
    .split(' ')
    .forEach((name) => (stub[name] = (...args: unknown[]) => void calls.push([name, args])));
  // Its function belongs to the page and must run now; only the measuring is lost.
  stub.span = (_: string, call: () => unknown) => call();
})(window, [], []);
