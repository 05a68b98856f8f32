/** Requests: every fetch and XHR as one event, and `traceparent` on those that may carry it.
 *
 * The request itself is left alone: no Request is made anew (that loses streams and referrers), a header that is there
 * stays, and nothing is added for origins that are not on the list (it would cost a preflight, or fail).
 */
import { crumb } from './breadcrumbs';
import { kindOf, recent } from './cause';
import type { Feed } from './feeds';
import { observe, on, safe } from './guard';
import { cached, parentOf, timed } from './network';
import { list, options } from './options';
import { patch } from './patch';
import { remote, sampled } from './remote';
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
  /** The feed it may be a batch of, and what will be said of that. */
  _feed?: Feed;
  _batch?: Event;
}

/** Those that resource timing has not spoken of yet. */
let open: Request[] = [];

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
      type: 'fetch',
      name: method.toUpperCase(),
      url: cleanUrl(href),
      initiator,
      cause: FULL ? kind || recent('timer') : undefined,
      span_id: hex(2),
    },
  };
  open.push(r);
  if (open.length > 100) open.shift();
  if (FULL) hooks._begin?.(r);
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
    list(location.origin + ' ' + options.traceOrigins).includes(new URL(_href).origin)
  ) {
    e.trace_source = 'header';
    return `00-${_view._trace}-${e.span_id}-0${+sampled()}`;
  }
  return;
};

/** What resource timing adds. */
const settle = (r: Request): void => {
  const { _event: e, _timing: t } = r;
  Object.assign(e, timed(t, r._start, e.status_code));
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
  change(r._view, e);
};

/** A reply, or the failure to get one, has come: `status` 0 then. */
const end = safe((r: Request, status: number, failure?: Failure): void => {
  if (r._end) return;
  r._end = now();
  const { name, url, initiator } = r._event;
  if (FULL) crumb(initiator!, `${name} ${url} ${failure || status}`, r._start);
  r._event = emit(
    r._start,
    { ...r._event, duration_ms: r._end - r._start, status_code: status || undefined, failure },
    r._view,
  );
  if (r._timing) settle(r);
  if (FULL) hooks._end?.(r);
});

/** By the name of an error, or of an XHR's event. */
const failureOf = (name: string): Failure =>
  (/^(abort|timeout)/i.exec(name)?.[0].toLowerCase() as Failure) || (navigator.onLine ? 'network' : 'offline');

const patchFetch = (): void =>
  patch(window, 'fetch', (_, args) => {
    let r: Request;
    try {
      const input = args[0];
      const init = args[1] || {};
      // A Request, of whatever frame; to ask for its class by name would cost a page that uses none 5 KB of heap.
      const own: any = input?.headers ? input : { url: '' + input };
      r = begin(own.url, init.method || own.method || 'GET', 'fetch');
      // Headers given in init replace the request's; an init that is itself a Request cannot be copied.
      // Made only of what is there: the class costs a page that uses none 2 KB of heap.
      const headers = init.headers ? new Headers(init.headers) : own.headers;
      const parent = input && !('bodyUsed' in init) && header(r, headers?.get('traceparent'), init.mode || own.mode);
      if (parent) {
        headers?.set('traceparent', parent);
        if (own !== input || init.headers) args[1] = { ...init, headers: headers || { traceparent: parent } };
      }
    } catch {
      // What we cannot read, the browser will judge.
    }
    // The page gets a promise derived from the browser's: a handler of ours on that would hide an unhandled rejection.
    return (reply) =>
      r &&
      reply.then(
        (response: Response) => {
          end(r, response.status);
          return response;
        },
        (error: any) => {
          end(r, 0, failureOf(error?.name));
          throw error;
        },
      );
  });

const patchXhr = (): void => {
  const proto = XMLHttpRequest.prototype;
  const { setRequestHeader } = proto;
  /** Method, address, and the traceparent somebody set. */
  const calls = new WeakMap<XMLHttpRequest, string[]>();
  patch(proto, 'open', (xhr, args) => void calls.set(xhr, ['' + args[0], '' + args[1]]));
  patch(proto, 'setRequestHeader', (xhr, args) => {
    if (/^traceparent$/i.test(args[0])) calls.get(xhr)?.splice(2, 1, args[1]);
  });
  patch(proto, 'send', (xhr) => {
    const call = calls.get(xhr);
    // Opened before we were here, or not at all, which the browser has its own word for.
    if (!call) return;
    const r = begin(call[1]!, call[0]!, 'xhr');
    const parent = header(r, call[2]);
    if (parent) setRequestHeader.call(xhr, 'traceparent', parent);
    let failure: Failure | undefined;
    on('abort timeout error', (e) => void (failure = failureOf(e.type)), xhr);
    on('loadend', () => end(r, xhr.status, failure), xhr);
  });
};

let began: number;

export const requests = (): void => {
  began = now();
  patchFetch();
  if (FULL) patchXhr();
};

/** Resource timing speaks of a request some time after its end. */
export const timings = (): void =>
  void observe('resource', (t) => {
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
