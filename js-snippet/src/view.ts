/** View: one page view, hard or soft, and the events that wait to leave with it.
 *
 * Everything that is captured goes through `emit`, which says when it was in the view's own time.
 */
import { drop } from './guard';
import { options } from './options';
import { cleanUrl, hex } from './text';
import type { Request } from './requests';
import type { Event } from './wire';

export interface View {
  _id: string;
  /** Known once something leaves: until then storage is not touched. */
  _session?: string;
  /** Its time origin on the performance clock. */
  _origin: number;
  /** When we learned of it, on the performance clock. */
  _created: number;
  _url: string;
  /** Of the viewport. Asked for once, and again when it was turned or resized: it makes a browser lay the page out. */
  _size?: number[] | undefined;
  _route?: string | undefined;
  /** What the route's meta said when the view began: on a soft view it is believed only once it has changed. */
  _meta?: string | undefined;
  _navigation: string | undefined;
  _trace: string;
  _span: string;
  /** Visibility so far: 1 visible, 2 hidden; and since when it was hidden for the first time. */
  _seen: number;
  _hiddenAt?: number;
  _event: Event;
  /** Brings `_event` up to date before it leaves. */
  _fill?: (() => void) | undefined;
  _events: Event[];
  /** How many there were, by type. */
  _counts: Record<string, number>;
  _seq: number;
  /** Id of the beacon that the waiting events will leave in. */
  _beacon: string;
  /** The standing fetchLater of the waiting events, how to call it off, and how many events it holds. */
  _later?: { activated: boolean } | undefined;
  _abort?: AbortController | undefined;
  _held?: number;
  /** For CLS: the present window of shifts, its first and its last; of the worst one the sum, the time and the element. */
  _sum?: number;
  _from?: number;
  _last?: number;
  _most: number;
  _worst?: number;
  _target?: string;
  /** For the other vitals: slow interactions, interactions before it began, and the one that led to it. */
  _slow: { _id: number; _ms: number; _entries: any[] }[];
  _interactions: number;
  _inp?: number;
  _painted?: boolean;
  _interaction?: unknown;
}

/** The present view. */
export let view: View;
/** The hard view first, then the latest few: what a late vital may still belong to. */
export const views: View[] = [];
/** Views with events that wait. */
export const pending = new Set<View>();

/** So many events of a type a view may have. */
const MOST = 200;

export const now = (): number => performance.now();
export const hidden = (): boolean => document.hidden;
export const prerendering = (): boolean => (document as any).prerendering;
export const navigationEntry = (): any => performance.getEntriesByType('navigation')[0];

// The performance clock stands still while a computer sleeps, in most browsers; Date does not.
// https://github.com/w3c/hr-time/issues/115
const skew = (): number => Date.now() - performance.timeOrigin - now();
const atFirst = FULL ? skew() : 0;
let slept = 0;
export const wake = (): void => {
  // Under two seconds it is the clock being set, not a sleep.
  const s = skew() - atFirst;
  if (s - slept > 2000) slept = s;
};

/** What others do for us. */
interface Hooks {
  /** Of init: begins the first view, once. Whoever is about to need a view calls it. */
  _boot(): void;
  /** Of delivery, told of every event that waits; an urgent one should survive a crash that follows. */
  _tell(urgent?: boolean): void;
  /** Of the quiet window: how long a soft view takes. */
  _soft?(): void;
  /** Of feeds, which look on: at a request's beginning they may know its cause better. */
  _begin?(r: Request): void;
  _end?(r: Request): void;
}
export const hooks: Hooks = { _boot() {}, _tell() {} };

/** Of events that did not change since, as JSON: what waits is told the browser a dozen times. */
export const texts = new WeakMap<Event, string>();

/** A moment of the performance clock in a view's own time. */
export const atIn = (v: View, t: number): number => t + slept - v._origin;

/** Puts an event into its view; it may be amended until it is sealed into a beacon. */
export const emit = (start: number, event: Event, v: View = view, urgent?: boolean): Event => {
  const type = event.type!;
  // The object itself, not a copy: each new shape of an object costs the page's heap.
  event.at = atIn(v, start);
  if ((v._counts[type] = (v._counts[type] || 0) + 1) > MOST) drop(type + 's');
  else v._events.push(event);
  change(v, event, urgent);
  return event;
};

/** Says that a waiting event was amended. */
export const change = (v: View, event: Event, urgent?: boolean): void => {
  texts.delete(event);
  if (!v._events.length) return;
  pending.add(v);
  hooks._tell(urgent);
};

/** A waiting event has happened once more. */
export const again = (v: View, event: Event): void => {
  event.count = (event.count || 1) + 1;
  change(v, event);
};

/** What a meta of the page says. By name, for the first use of a selector costs half a millisecond. */
export const metaOf = (name: string): string | undefined =>
  (document.getElementsByName(name)[0] as HTMLMetaElement | undefined)?.content;
const meta = (): string | undefined => metaOf('farside:route');

export const routeOf = (v: View): string | undefined => {
  if (v === view && (!FULL || meta() !== v._meta)) v._route ||= meta();
  return v._route;
};

/** Called when another view begins. */
export const started: ((v: View) => void)[] = [];

/** Begins a view whose time starts at `origin` on the performance clock. */
export const startView = (navigation: string | undefined, origin: number, trace = hex(4), span = hex(2)): View => {
  const soft = navigation === 'soft';
  view = {
    _id: hex(4),
    _origin: origin + slept,
    _created: now(),
    _url: cleanUrl(location.href, true),
    _route: views.length ? undefined : options.route,
    ...(FULL && { _meta: soft ? meta() : undefined }),
    _navigation: navigation,
    _trace: trace,
    _span: span,
    _seen: prerendering() ? 0 : 1 + +hidden(),
    _events: [],
    _counts: {},
    _seq: 0,
    _beacon: hex(4),
    _most: 0,
    _slow: [],
    _interactions: views.length ? (performance as any).interactionCount : 0,
  } as Partial<View> as View;
  views.push(view);
  if (views.length > 5) views.splice(1, 1);
  view._event = emit(origin, { type: 'view', span_id: view._span });
  started.forEach((call) => call(view));
  return view;
};
