/** Navigation: when a view begins, how long it took, and whose trace it belongs to. */
import { note } from './cause';
import { on } from './guard';
import { timed } from './network';
import { patch } from './patch';
import { flush } from './delivery';
import { serverTiming, parse } from './trace';
import { change, now, startView, view, type Navigation } from './view';

const entry = (): any => performance.getEntriesByType('navigation')[0];

/** The hard view: everything the navigation entry knows, again whenever it is about to leave. */
const hardView = (): void => {
  const nav = entry();
  const cached = nav && (nav.deliveryType === 'cache' || (!nav.transferSize && nav.decodedBodySize > 0));
  let source: string | undefined;
  let parent = nav && serverTiming(nav, {});
  if (parent) source = 'server-timing';
  else {
    parent = parse(document.querySelector<HTMLMetaElement>('meta[name="traceparent"]')?.content);
    if (parent) source = 'meta';
  }
  // A cache replays trace ids as it replays everything else: they belong to the first reader.
  if (parent && cached) {
    parent = undefined;
    source = 'cached';
  }
  const prerender = (document as any).prerendering || nav?.activationStart > 0;
  const kind = prerender ? 'prerender' : (nav?.type || 'navigate').replace('_', '-');
  const v = startView(kind as Navigation, 0, parent?._trace, parent?._ours ? parent._span : undefined);
  const event = v._event;
  event.trace_source = source;
  if (parent && !parent._ours) event.server_span_id = parent._span;
  v._fill = () => {
    const e = entry();
    if (!e) return;
    const { phases, bytes, status_code } = timed(e, {
      dom_interactive_ms: e.domInteractive,
      dom_content_loaded_ms: e.domContentLoadedEventEnd,
      load_ms: e.loadEventEnd,
      activation_ms: e.activationStart,
    });
    delete phases?.queue_ms;
    event.phases = phases;
    event.bytes = bytes;
    event.status_code = status_code;
    if (e.loadEventEnd) event.duration_ms = Math.round(e.loadEventEnd * 10) / 10;
  };
};

/** Where we are as a router sees it: the path, and a fragment that is a path. */
const place = (): string => location.pathname + (/^#!?\//.test(location.hash) ? location.hash : '');

let here: string;

const moved = (replaced?: boolean): void => {
  const there = place();
  if (there === here) return;
  here = there;
  // Routers push and at once correct the address: that is the same view.
  if (replaced && view._navigation === 'soft' && now() - view._created < 300) {
    view._url = location.origin + location.pathname;
    return;
  }
  const t = now();
  flush();
  startView('soft', t);
  note('navigation', t);
};

export const navigations = (): void => {
  here = place();
  hardView();
  for (const name of ['pushState', 'replaceState'])
    patch(history, name, (target, self, args) => {
      const result = Reflect.apply(target, self, args);
      try {
        moved(name === 'replaceState');
      } catch {}
      return result;
    });
  on(window, 'popstate hashchange', () => moved());
  on(window, 'pageshow', (event) => {
    if (!event.persisted) return;
    const v = startView('restore', event.timeStamp);
    v._event.duration_ms = 0;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        v._event.duration_ms = Math.round((now() - event.timeStamp) * 10) / 10;
        change(v);
      }),
    );
  });
};

