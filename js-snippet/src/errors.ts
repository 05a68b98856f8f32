/** Errors: uncaught ones, rejections, assets that failed, policy violations, and what the page reports itself. */
import { crumb, trail } from './breadcrumbs';
import { on } from './guard';
import { cleanUrl, cut, selector } from './text';
import { hooks, change, emit, now, view } from './view';
import type { Event } from './wire';

/** The stack, and those of its causes. */
const stackOf = (error: any): string => {
  let text = '';
  for (let depth = 0; error && depth < 5; depth++, error = error.cause)
    text += (depth ? '\nCaused by: ' : '') + (error.stack || error);
  return text;
};

const report = (name: string, error: any, fields?: Event, at = now()): void => {
  hooks._boot();
  const { stack, name: type, message } = error?.stack ? error : ({ message: error } as any);
  const event: Event = {
    name,
    error_type: type,
    message: '' + (message ?? ''),
    stack: stack && stackOf(error),
    ...fields,
  };
  const same = view._events.find((e) => e.name === name && e.message === event.message && e.stack === event.stack);
  if (same) {
    same.count = (same.count || 1) + 1;
    return change(view);
  }
  if (FULL) event.breadcrumbs = trail();
  emit('error', at, event, view, true);
  if (FULL) crumb('error', event.message, at);
};

/** `farside.error(e, extra)` */
export const manual = (error: unknown, extra?: Record<string, unknown>): void => {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(extra || {})) attributes[cut(name, 64)] = '' + value;
  report('manual', error, { attributes });
};

/** An event seen by us, or kept by the loader from before. */
export const caught = (event: any): void => {
  const { type, target, timeStamp, reason, error, message, filename, effectiveDirective, blockedURI, sourceFile } = event;
  const url = target?.src || target?.href;
  if (type === 'unhandledrejection') report('rejection', reason, {}, timeStamp);
  else if (FULL && effectiveDirective)
    report(
      'csp',
      effectiveDirective + ' blocked ' + (/:/.test(blockedURI) ? cleanUrl(blockedURI) : blockedURI),
      { error_type: event.disposition, url: sourceFile && cleanUrl(sourceFile) },
      timeStamp,
    );
  else if (target && target !== window) {
    if (url) report('resource', target.localName + ' failed', { url: cleanUrl(url), target: selector(target) }, timeStamp);
  } else report('error', error || message, { url: filename && cleanUrl(filename) }, timeStamp);
};

export const errors = (): void => on('error unhandledrejection' + (FULL ? ' securitypolicyviolation' : ''), caught);
