/** Requests: every fetch and XHR as one event, and `traceparent` on those that may carry it.
 *
 * The request itself is left alone: no Request is made anew (that loses streams and referrers), a header that is there
 * stays, and nothing is added for origins that are not on the list (it would cost a preflight, or fail).
 */
import { crumb } from './breadcrumbs';
import { kindOf, recent } from './cause';
import { observe, safe } from './guard';
import { cached, parentOf, timed } from './network';
import { list, options } from './options';
import { patch } from './patch';
import { remote } from './remote';
import { cleanUrl, hex } from './text';
import { parse, type Parent } from './trace';
import { hooks, change, emit, now, view, type View } from './view';
import type { Event, Failure } from './wire';

export interface Request {
  _start: number;
  _end?: number;
  _view: View;
  /** As asked for, which is what resource timing will call it. */
  _href: string;
  /** What is known so far; in its view once the reply has come. */
  _event: Event;
  /** The cause is the event being handled, not a guess. */
  _certain?: boolean;
  _timing?: any;
}

/** Those that resource timing has not spoken of yet. */
let open: Request[] = [];

/** Feeds look on: at a request's beginning they may know its cause better. */
export const onlooker: { _begin?(r: Request): void; _end?(r: Request): void } = {};

/** Whether a view still waits for a reply. */
export const inFlight = (v: View): boolean => open.some((r) => r._view === v && !r._end);

/** A request begins; one that is already over when we learn of it says when that was. */
export const begin = (
  address: string,
  method: string,
  initiator: string,
  start = now(),
  kind = FULL ? kindOf(window.event) : undefined,
): Request => {
  hooks._boot();
  const href = new URL(address, document.baseURI).href;
  const r: Request = {
    _start: start,
    _view: view,
    _href: href,
    _certain: !!kind,
    _event: {
      name: method.toUpperCase(),
      url: cleanUrl(href),
      initiator,
      cause: FULL ? kind || recent('timer') : undefined,
      span_id: hex(8),
    },
  };
  open.push(r);
  if (open.length > 100) open.shift();
  if (FULL) onlooker._begin?.(r);
  return r;
};

/** The `traceparent` to send, if any; one that is there already stays, and names the trace this request is in. */
const header = ({ _href, _event: e, _view }: Request, theirs?: string | null, mode?: string): string | undefined => {
  if (theirs) {
    e.trace_source = 'foreign';
    e.trace_id = parse(theirs)?._trace;
  } else if (
    mode !== 'no-cors' &&
    remote().tracing !== false &&
    [location.origin, ...list(options.traceOrigins)].includes(new URL(_href).origin)
  ) {
    e.trace_source = 'header';
    return `00-${_view._trace}-${e.span_id}-01`;
  }
  return;
};

/** What resource timing adds. */
const settle = (r: Request): void => {
  const { _event: e, _timing: t } = r;
  Object.assign(e, timed(t, e.status_code), { duration_ms: t.responseEnd - r._start });
  const { _trace, _span, _ours } = parentOf(t) || ({} as Partial<Parent>);
  if (cached(t)) e.trace_source = 'cached';
  else if (_trace) {
    if (!e.trace_source) {
      e.trace_source = 'server-timing';
      e.trace_id = _trace;
      if (_ours) e.span_id = _span!;
    }
    // A reply that names another trace than the request's is somebody else's, or old.
    if (!_ours && _trace === (e.trace_id || r._view._trace)) e.server_span_id = _span;
  }
  change(r._view);
};

/** A reply, or the failure to get one, has come: `status` 0 then. */
const end = safe((r: Request, status: number, failure?: Failure): void => {
  if (r._end) return;
  r._end = now();
  const { name, url, initiator } = r._event;
  if (FULL) crumb(initiator!, `${name} ${url} ${failure || status}`, r._start);
  r._event = emit(
    'fetch',
    r._start,
    { ...r._event, duration_ms: r._end - r._start, status_code: status || undefined, failure },
    r._view,
  );
  if (r._timing) settle(r);
  if (FULL) onlooker._end?.(r);
});

const failureOf = (name?: string): Failure =>
  name === 'AbortError' ? 'abort' : name === 'TimeoutError' ? 'timeout' : navigator.onLine ? 'network' : 'offline';

const patchFetch = (): void =>
  patch(window, 'fetch', (target, self, args) => {
    let r: Request | undefined;
    try {
      const [input] = args;
      const init = args[1] || {};
      const own: any = input instanceof Request ? input : { url: '' + input };
      r = begin(own.url, init.method || own.method || 'GET', 'fetch');
      // Headers given in init replace the request's; an init that is itself a Request cannot be copied.
      const headers = new Headers(init.headers || own.headers);
      const parent =
        input && !(init instanceof Request) && header(r, headers.get('traceparent'), init.mode || own.mode);
      if (parent && own === input && !init.headers) own.headers.set('traceparent', parent);
      else if (parent) {
        headers.set('traceparent', parent);
        args = [input, { ...init, headers }];
      }
    } catch {
      // What we cannot read, the browser will judge.
    }
    const reply: any = Reflect.apply(target, self, args);
    // The page gets a promise derived from the browser's: a handler of ours on that would hide an unhandled rejection.
    return r
      ? reply.then(
          (response: Response) => {
            end(r, response.status);
            return response;
          },
          (error: any) => {
            end(r, 0, failureOf(error?.name));
            throw error;
          },
        )
      : reply;
  });

const patchXhr = (): void => {
  const proto = XMLHttpRequest.prototype;
  const { setRequestHeader } = proto;
  /** Method, address, and the traceparent somebody set. */
  const calls = new WeakMap<XMLHttpRequest, string[]>();
  patch(proto, 'open', (target, self, args) => {
    calls.set(self, ['' + args[0], '' + args[1]]);
    return Reflect.apply(target, self, args);
  });
  patch(proto, 'setRequestHeader', (target, self, args) => {
    if (/^traceparent$/i.test(args[0])) (calls.get(self) || [])[2] = args[1];
    return Reflect.apply(target, self, args);
  });
  const watch = safe((xhr: XMLHttpRequest) => {
    const [method, address, theirs] = calls.get(xhr)!;
    const r = begin(address!, method!, 'xhr');
    const parent = header(r, theirs);
    if (parent) setRequestHeader.call(xhr, 'traceparent', parent);
    let failure: Failure | undefined;
    for (const type of ['abort', 'timeout', 'error', 'loadend'])
      xhr.addEventListener(
        type,
        () => {
          if (type === 'loadend') end(r, xhr.status, failure);
          else failure = type === 'error' ? failureOf() : (type as Failure);
        },
        { once: true },
      );
  });
  patch(proto, 'send', (target, self, args) => {
    // Opened before we were here, or not at all, which the browser has its own word for.
    if (calls.has(self)) watch(self);
    return Reflect.apply(target, self, args);
  });
};

export const requests = (): void => {
  const began = now();
  patchFetch();
  if (FULL) patchXhr();
  observe('resource', (t) => {
    const initiator = { fetch: 'fetch', xmlhttprequest: 'xhr' }[t.initiatorType as string];
    if (!initiator || t.name === options.url) return;
    let r = open.find((o) => o._href === t.name && t.startTime >= o._start - 1);
    // It began before we were here: what resource timing knows is all there is, and that is not the method.
    if (FULL && !r && t.startTime < began) end((r = begin(t.name, '', initiator, t.startTime, 'load')), 0);
    if (!r) return;
    open = open.filter((o) => o !== r);
    r._timing = t;
    if (r._end) settle(r);
  });
};
