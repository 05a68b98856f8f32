/** Navigation: when a view begins, how long it took, and whose trace it belongs to. */
import { last, note, recent } from './cause';
import { crumb } from './breadcrumbs';
import { flush } from './delivery';
import { on, safe } from './guard';
import { cached, parentOf, timed } from './network';
import { patch } from './patch';
import { parse, type Parent } from './trace';
import { hooks, metaOf, navigationEntry, now, prerendering, startView, view } from './view';

/** The hard view: everything the navigation entry knows, again whenever it is about to leave. */
const hardView = (): void => {
  const nav = navigationEntry() || {};
  const named = parentOf(nav);
  const learned = named || parse(metaOf('traceparent'));
  // A cache replays trace ids as it replays everything else: they belong to the first reader.
  const stale = cached(nav);
  const { _trace, _span, _ours } = (!stale && learned) || ({} as Partial<Parent>);
  const v = startView(
    prerendering() || nav.activationStart ? 'prerender' : nav.type?.replace('_', '-'),
    0,
    _trace,
    _ours ? _span : undefined,
  );
  const event = v._event;
  if (learned) event.trace_source = stale ? 'cached' : named ? 'server-timing' : 'meta';
  if (!_ours) event.server_span_id = _span;
  v._fill = () => {
    const e = navigationEntry();
    if (e) Object.assign(event, timed(e, 0), { duration_ms: e.loadEventEnd || undefined });
  };
};

/** Where we are as a router sees it: the path, and a fragment that is a path. */
const place = (): string => location.pathname + (/^#!?\//.test(location.hash) ? location.hash : '');

let here: string;

const moved = (replaced: boolean): void => {
  const there = place();
  if (there === here) return;
  here = there;
  const t = now();
  // Routers push and at once correct the address, and long pages replace it while they are scrolled: the same view.
  const cause = recent('timer');
  if (replaced && (cause === 'scroll' || (view._navigation === 'soft' && t - view._created < 300))) return;
  flush();
  // A reader's click or key that led here is where the waiting began, as for the browser's own soft navigations.
  startView('soft', cause === 'click' || cause === 'key' ? last._at : t)._event.initiator = 'history';
  note('navigation');
  crumb('view', view._url);
  hooks._soft?.();
};

/** Soft views, by the Navigation API where there is one, else by the History API. */
const watchRoutes = (): void => {
  here = place();
  const navigation = (window as any).navigation;
  if (navigation) on('currententrychange', (event) => moved(event.navigationType === 'replace'), navigation);
  else {
    ['pushState', 'replaceState'].forEach((name) =>
      patch(history, name, () => () => safe(moved)(name === 'replaceState')),
    );
    on('popstate hashchange', () => moved(false));
  }
};

export const navigations = (): void => {
  hardView();
  if (FULL) watchRoutes();
  on('pageshow', (e) => e.persisted && startView('restore', e.timeStamp));
};
