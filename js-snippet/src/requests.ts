/** Requests: every fetch and XHR as one event, and `traceparent` on those that may carry it.
 *
 * The request itself is left alone: no Request is made anew (that loses streams and referrers), a header that is there
 * stays, and nothing is added for origins that are not on the list (it would cost a preflight, or fail).
 */
import { crumb } from './breadcrumbs';
import { cause } from './cause';
import { observe, safe } from './guard';
import { timed } from './network';
import { list, options } from './options';
import { patch } from './patch';
import { remote } from './remote';
import { cleanUrl } from './text';
import { newSpan, parse } from './trace';
import { change, emit, now, view, type View } from './view';
import type { Cause, Event, Failure } from './wire';

export interface Request {
  _start: number;
  _view: View;
  /** As asked for: what resource timing will call it. */
  _href: string;
  _method: string;
  _initiator: 'fetch' | 'xhr' | 'script';
  _cause: Cause;
  /** The cause is the event being handled, not a guess. */
  _certain: boolean;
  _span: string;
  _trace?: string;
  _source?: string;
  _end?: number;
  _status?: number | undefined;
  _failure?: Failure | undefined;
  _timing?: any;
  _event?: Event;
}

/** Those that resource timing has not spoken of yet. */
let open: Request[] = [];

const listeners: { _begin(r: Request): void; _end(r: Request): void }[] = [];
/** Feeds watch requests begin and end. */
export const onRequest = (_begin: (r: Request) => void, _end: (r: Request) => void): void =>
  void listeners.push({ _begin, _end });

const traced = (href: string): boolean => {
  const { origin } = new URL(href);
  return remote.tracing !== false && (origin === location.origin || list(options.traceOrigins).includes(origin));
};

const begin = (href: string, method: string, initiator: Request['_initiator']): Request => {
  const [kind, certain] = cause();
  const r: Request = {
    _start: now(),
    _view: view,
    _href: new URL(href, document.baseURI).href,
    _method: method.toUpperCase(),
    _initiator: initiator,
    _cause: kind,
    _certain: certain,
    _span: newSpan(),
  };
  open.push(r);
  if (open.length > 100) open.shift();
  for (const { _begin } of listeners) safe(_begin)(r);
  return r;
};

/** Says what `traceparent` to send, if any; `theirs` is one that is there already. */
const header = (r: Request, theirs?: string | null): string | undefined => {
  const foreign = parse(theirs);
  if (theirs) {
    r._source = 'foreign';
    if (foreign) r._trace = foreign._trace;
    return;
  }
  if (!traced(r._href)) return;
  r._source = 'header';
  return `00-${r._view._trace}-${r._span}-01`;
};

const settle = (r: Request): void => {
  const event = r._event!;
  const e = r._timing;
  if (!e) return;
  const { phases, bytes, status_code, _cached, _parent } = timed(e);
  event.phases = phases;
  event.bytes = bytes;
  event.status_code ||= status_code;
  if (e.responseEnd) event.duration_ms = Math.round((e.responseEnd - r._start) * 10) / 10;
  if (_cached) event.trace_source = 'cached';
  // A reply that names another trace than the one we sent is somebody else's, or old.
  else if (_parent && (!r._source || _parent._trace === (r._trace || r._view._trace))) {
    if (!r._source) {
      event.trace_source = 'server-timing';
      event.trace_id = _parent._trace;
    }
    event[_parent._ours && !r._source ? 'span_id' : 'server_span_id'] = _parent._span;
  }
  change(r._view);
};

const end = safe((r: Request, status?: number, failure?: Failure): void => {
  if (r._end) return;
  r._end = now();
  r._status = status || undefined;
  r._failure = failure;
  crumb(r._initiator, `${r._method} ${cleanUrl(r._href)} ${failure || status || ''}`, r._start);
  r._event = emit(
    'fetch',
    r._start,
    {
      duration_ms: r._end - r._start,
      name: r._method,
      url: cleanUrl(r._href),
      initiator: r._initiator,
      status_code: r._status,
      failure,
      cause: r._cause,
      span_id: r._span,
      trace_id: r._trace,
      trace_source: r._source,
    } as Partial<Event>,
    r._view,
  );
  settle(r);
  for (const { _end } of listeners) safe(_end)(r);
});

/** Why a fetch was rejected. */
const failureOf = (error: any): Failure =>
  error?.name === 'AbortError'
    ? 'abort'
    : error?.name === 'TimeoutError'
      ? 'timeout'
      : navigator.onLine === false
        ? 'offline'
        : 'network';

const patchFetch = (): void =>
  patch(window, 'fetch', (target, self, args) => {
    let r: Request | undefined;
    try {
      const [input, init] = args;
      const request = input instanceof Request ? input : undefined;
      r = begin(request ? request.url : '' + input, init?.method || request?.method || 'GET', 'fetch');
      // Headers given in init replace the request's; a dictionary that is itself a Request cannot be copied.
      if (!(init instanceof Request) && (init?.mode || request?.mode) !== 'no-cors') {
        const own = init?.headers;
        const headers = new Headers(own || request?.headers);
        const parent = header(r, headers.get('traceparent'));
        if (parent && request && !own) request.headers.set('traceparent', parent);
        else if (parent) {
          headers.set('traceparent', parent);
          args = [input, { ...init, headers }];
        }
      }
    } catch {
      // What we cannot read, the browser will judge.
    }
    const reply: any = Reflect.apply(target, self, args);
    if (!r) return reply;
    // The page gets our derived promise: a handler on theirs would hide an unhandled rejection.
    return reply.then(
      (response: Response) => {
        end(r!, response.status);
        return response;
      },
      (error: unknown) => {
        end(r!, 0, failureOf(error));
        throw error;
      },
    );
  });

const patchXhr = (): void => {
  const proto = window.XMLHttpRequest?.prototype;
  const setHeader = proto?.setRequestHeader;
  const calls = new WeakMap<XMLHttpRequest, [method: string, url: string, parent?: string]>();
  patch(proto, 'open', (target, self, args) => {
    calls.set(self, ['' + args[0], '' + args[1]]);
    return Reflect.apply(target, self, args);
  });
  patch(proto, 'setRequestHeader', (target, self, args) => {
    const call = calls.get(self);
    if (call && /^traceparent$/i.test(args[0])) call[2] = '' + args[1];
    return Reflect.apply(target, self, args);
  });
  patch(proto, 'send', (target, self: XMLHttpRequest, args) => {
    const call = calls.get(self);
    if (call)
      safe(() => {
        const r = begin(call[1], call[0], 'xhr');
        const parent = header(r, call[2]);
        if (parent) setHeader.call(self, 'traceparent', parent);
        let failure: Failure | undefined;
        const listen = (types: string, fn: (event: Event | any) => void) => {
          for (const type of types.split(' ')) self.addEventListener(type, fn, { once: true });
        };
        listen('abort timeout error', ({ type }) => {
          failure = type === 'error' ? failureOf(0) : type;
        });
        listen('loadend', () => end(r, self.status, failure));
      })();
    return Reflect.apply(target, self, args);
  });
};

export const requests = (): void => {
  patchFetch();
  patchXhr();
  observe('resource', (e) => {
    if (e.initiatorType !== 'fetch' && e.initiatorType !== 'xmlhttprequest') return;
    const r = open.find((o) => o._href === e.name && e.startTime >= o._start - 1);
    if (r) {
      open = open.filter((o) => o !== r);
      r._timing = e;
      if (r._event) settle(r);
    } else if (e.startTime < began && !e.name.startsWith(options.url)) {
      // It began before we were here: what resource timing knows is all there is.
      const early: Request = {
        _start: e.startTime,
        _view: view,
        _event: emit('fetch', e.startTime, {
          name: '?', // resource timing does not tell the method
          duration_ms: e.duration,
          url: cleanUrl(e.name),
          initiator: e.initiatorType === 'fetch' ? 'fetch' : 'xhr',
          cause: 'load',
        }),
        _timing: e,
      } as Request;
      settle(early);
    }
  });
};

const began = now();
