/** View: one page view, hard or soft, and the events that wait to leave with it.
 *
 * Everything that is captured goes through `emit`, which says when it was in the view's own time.
 */
import { options } from './options';
import { sessionId } from './session';
import { cleanUrl, cut, hex, tenth } from './text';
import { newSpan, newTrace } from './trace';
import type { Event } from './wire';

export type Navigation = 'navigate' | 'reload' | 'back-forward' | 'prerender' | 'restore' | 'soft';

export interface View {
  _id: string;
  _session: string;
  /** Its time origin: on the performance clock, and since 1970. */
  _origin: number;
  _started: number;
  /** When we learned of it, on the performance clock. */
  _created: number;
  _url: string;
  _route?: string | undefined;
  /** What the route's meta said when the view began: on a soft view it is believed only once it has changed. */
  _meta?: string | undefined;
  _navigation: Navigation;
  _trace: string;
  _span: string;
  /** Visibility so far: 1 visible, 2 hidden. */
  _seen: number;
  _event: Event;
  /** Brings `_event` up to date before it leaves. */
  _fill?: (() => void) | undefined;
  _events: Event[];
  _seq: number;
  /** Id of the beacon that the waiting events will leave in. */
  _beacon: string;
  /** The standing fetchLater of the waiting events, how to call it off, and how many events it holds. */
  _later?: { activated: boolean } | undefined;
  _abort?: AbortController;
  _held: number;
}

export let view: View;
/** The hard view first, then the latest few: what a late vital may still belong to. */
export const views: View[] = [];
/** Views with events that wait. */
export const pending = new Set<View>();

export const now = (): number => performance.now();

// The performance clock stands still while a computer sleeps, in most browsers; Date does not.
// https://github.com/w3c/hr-time/issues/115
const skew = (): number => Date.now() - performance.timeOrigin - now();
const atFirst = skew();
let slept = 0;
export const wake = (): void => {
  // Under two seconds it is the clock being set, not a sleep.
  const s = skew() - atFirst;
  if (s - slept > 2000) slept = s;
};

/** Set by delivery: told of every event that waits. */
export const waiting: { _tell(urgent?: boolean): void } = { _tell() {} };

/** Puts an event into its view; it may be amended until it is sealed into a beacon. */
export const emit = (
  type: Event['type'],
  start: number,
  fields: Partial<Event>,
  v: View = view,
  urgent?: boolean,
): Event => {
  const event: Event = { type, at: tenth(start + slept - v._origin), ...fields };
  if (event.duration_ms !== undefined) event.duration_ms = tenth(event.duration_ms);
  v._events.push(event);
  change(v, urgent);
  return event;
};

/** Says that a waiting event was amended. */
export const change = (v: View, urgent?: boolean): void => {
  if (!v._events.length) return;
  pending.add(v);
  waiting._tell(urgent);
};

export const seen = (): number => (document.visibilityState === 'hidden' ? 2 : 1);

const meta = (): string | undefined =>
  document.querySelector<HTMLMetaElement>('meta[name="farside:route"]')?.content;

export const routeOf = (v: View): string | undefined => {
  if (v === view && !v._route && meta() !== v._meta) v._route = meta();
  return v._route ? cut(v._route, 256) : undefined;
};

const started: ((v: View) => void)[] = [];
export const onView = (call: (v: View) => void): void => void started.push(call);

/** Begins a view whose time starts at `origin` on the performance clock. */
export const startView = (navigation: Navigation, origin: number, trace?: string, span?: string): View => {
  view = {
    _id: hex(16),
    _session: sessionId(),
    _origin: origin + slept,
    _started: performance.timeOrigin + origin + slept,
    _created: now(),
    _url: cleanUrl(location.href, true),
    _route: views.length ? undefined : options.route,
    _meta: navigation === 'soft' ? meta() : undefined,
    _navigation: navigation,
    _trace: trace || newTrace(),
    _span: span || newSpan(),
    _seen: (document as any).prerendering ? 0 : seen(),
    _events: [],
    _seq: 0,
    _beacon: hex(16),
    _held: 0,
  } as unknown as View;
  views.push(view);
  if (views.length > 5) views.splice(1, 1);
  view._event = emit('view', origin, { span_id: view._span });
  for (const call of started) call(view);
  return view;
};
