/** Errors: uncaught ones, rejections, assets that failed, policy violations, and what the page reports itself. */
import { crumb, trail } from './breadcrumbs';
import { drop, on } from './guard';
import { captures } from './remote';
import { cleanUrl, cut, selector } from './text';
import { change, emit, now, onView, view } from './view';
import type { Event } from './wire';

/** Distinct errors that one view may report. */
const MOST = 20;

let known = new Map<string, Event>();

/** The stack, and those of its causes: https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Error/cause */
const stackOf = (error: any): string => {
  let text = '';
  for (let depth = 0; error && depth < 5; depth++, error = error.cause)
    text += (depth ? '\nCaused by: ' : '') + (error.stack || `${error.name || ''}: ${error.message || error}`);
  // Addresses in stacks have queries too.
  return cut(text.replace(/(https?:\/\/[^\s?#)]+)[?#][^\s):]*/g, '$1'), 16_000);
};

const report = (name: string, error: any, fields: Partial<Event> = {}, at = now()): void => {
  if (!captures('errors')) return;
  const object = error instanceof Error || error?.stack;
  const message = cut((object ? error.message : error) ?? '', 1024);
  const event: Partial<Event> = {
    name,
    error_type: object ? cut(error.name, 128) : undefined,
    message,
    stack: object ? stackOf(error) : undefined,
    ...fields,
  } as Partial<Event>;
  const key = [name, message, event.url, (event.stack || '').split('\n')[1]].join();
  const same = known.get(key);
  if (same && view._events.includes(same)) {
    same.count = (same.count || 1) + 1;
    return change(view);
  }
  if (known.size >= MOST && !same) return drop('errors');
  event.breadcrumbs = trail();
  known.set(key, emit('error', at, event, view, true));
  crumb('error', message, at);
};

/** `farside.error(e, extra)` */
export const manual = (error: unknown, extra?: Record<string, unknown>): void => {
  const attributes: Record<string, string> = {};
  for (const name in extra) attributes[cut(name, 64)] = cut(extra[name], 1024);
  report('manual', error, extra && { attributes });
};

/** An `error` or `unhandledrejection` event, seen by us or kept by the loader. */
export const caught = (event: any): void => {
  const at = event.timeStamp;
  if (event.type === 'unhandledrejection') return report('rejection', event.reason, {}, at);
  const { target, message, error, filename } = event;
  if (target && target !== window) {
    const url = target.currentSrc || target.src || target.href;
    if (url) report('resource', `${target.localName} failed`, { url: cleanUrl(url), target: selector(target) } as Partial<Event>, at);
    return;
  }
  report('error', error || message, filename ? { url: cleanUrl(filename) } : {}, at);
};

export const errors = (): void => {
  on(window, 'error unhandledrejection', caught);
  on(document, 'securitypolicyviolation', (event) =>
    report('csp', `${event.effectiveDirective} blocked ${cleanUrl(event.blockedURI) || event.blockedURI}`, {
      error_type: event.disposition,
      url: cleanUrl(event.sourceFile) || undefined,
    } as Partial<Event>, event.timeStamp),
  );
  onView((v) => {
    known = new Map();
    crumb('view', cleanUrl(v._url), v._created);
  });
};
