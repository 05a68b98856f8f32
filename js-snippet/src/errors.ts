/** Errors: uncaught ones, rejections, assets that failed, policy violations, and what the page reports itself. */
import { crumb, trail } from './breadcrumbs';
import { on } from './guard';
import { sampled } from './remote';
import { keep } from './session';
import { cleanUrl, cut, selector } from './text';
import { hooks, again, emit, now, view } from './view';
import type { Event } from './wire';

/** The stack, and those of its causes. */
const stackOf = (error: any): string => {
  let text = '';
  for (let depth = 0; error && depth < 5; depth++, error = error.cause)
    text += (depth ? '\nCaused by: ' : '') + (error.stack || error);
  return text;
};

const report = (name: string, at: number, error: any, fields?: Partial<Event>): void => {
  hooks._boot();
  const { stack, name: type, message } = error?.stack ? error : ({ message: error } as any);
  const event: Event = {
    type: 'error',
    name,
    error_type: type,
    message: '' + (message ?? ''),
    stack: stack && stackOf(error),
    ...fields,
  };
  const same = view._events.find(
    (e) => e.name === name && e.message === event.message && e.stack === event.stack && e.url === event.url,
  );
  if (same) return again(view, same);
  if (FULL) event.crumbs = trail();
  emit(at, event, view, true);
  // What the page itself got wrong keeps a session that was not chosen.
  if (FULL && !/^res|csp/.test(name) && !sampled()) keep();
  if (FULL) crumb('error', event.message, at);
};

/** `farside.error(e, extra)` */
export const manual = (error: unknown, extra?: Record<string, unknown>): void => {
  const attributes: Record<string, string> = {};
  for (const name in extra) attributes[cut(name, 64)] = '' + extra[name];
  report('manual', now(), error, { attributes });
};

/** An event seen by us, or kept by the loader from before. */
export const caught = (event: any): void => {
  const { target, timeStamp, effectiveDirective, blockedURI } = event;
  const failed = target?.src || target?.href;
  const place = event.filename || event.sourceFile || failed;
  const url = place && cleanUrl(place);
  if ('reason' in event) report('rejection', timeStamp, event.reason);
  else if (FULL && effectiveDirective)
    report('csp', timeStamp, effectiveDirective + ' blocked ' + blockedURI, { error_type: event.disposition, url });
  else if (target?.localName) {
    if (failed) report('resource', timeStamp, target.localName + ' failed', { url, target: selector(target) });
  } else report('error', timeStamp, event.error || event.message, { url });
};

export const errors = (): void => on('error unhandledrejection' + (FULL ? ' securitypolicyviolation' : ''), caught);
