/** Beacon: a view's waiting events as the text of docs/wire.md, split well under the 64 KiB all keepalive requests share. */
import { takeDropped } from './guard';
import { given, options } from './options';
import { captures, remote, weight } from './remote';
import { sessionId } from './session';
import { cut, hex } from './text';
import { pending, routeOf, texts, type View } from './view';
import type { Event } from './wire';

/** A sealed beacon: its text does not change any more, but for the time it is sent. */
export interface Parcel {
  _text: string;
  _count: number;
  _flying?: boolean;
}

/** What the page adds to every event. */
export const page: {
  _attributes?: Record<string, string>;
  _flags?: Record<string, [string, string]>;
} = {};

const LIMIT = 16_000;

/** How long texts may be, where it is not 1,024. */
const LIMITS: Record<string, number> = {
  stack: 16_384,
  url: 2048,
  name: 256,
  target: 256,
  route: 256,
  cause: 32,
  user_id: 128,
  release: 128,
  environment: 128,
  error_type: 128,
};

/** Addresses in messages, stacks and names have queries too, and lose them. */
const ADDRESS = /(https?:[^\s?#]+)[?#][^\s:)"]*/g;

/** Breadcrumbs of the error before the one being encoded, in the same beacon: they are not said again. */
let told: string[] | undefined;

/** JSON as short as it can be said: numbers to what the clock can tell, texts to their limits, nothing that is empty. */
const encode = (value: unknown): string =>
  JSON.stringify(value, (name, v) =>
    typeof v === 'number'
      ? isFinite(v)
        ? +v.toFixed(v < 10 ? 4 : 1)
        : undefined
      : typeof v === 'string'
        ? cut(name === 'url' ? v : v.replace(ADDRESS, '$1'), LIMITS[name] || 1024) || undefined
        : FULL && name === 'crumbs'
          ? v.filter((crumb: string) => !told?.includes(crumb))
          : v || undefined,
  );

const head = (v: View, dropped?: Record<string, number>): string => {
  const connection = (navigator as any).connection;
  return encode({
    v: 1,
    key: options.key,
    beacon_id: v._beacon,
    seq: v._seq,
    session_id: (v._session ||= sessionId()),
    view_id: v._id,
    view_started_at: performance.timeOrigin + v._origin,
    url: v._url,
    route: routeOf(v),
    navigation: v._navigation,
    visibility: ['', 'visible', 'hidden', 'mixed'][v._seen],
    trace_id: v._trace,
    span_id: v._span,
    user_id: options.user,
    release: given.release || options.release,
    environment: options.environment,
    viewport_width: (v._size ??= [innerWidth, innerHeight])[0],
    viewport_height: v._size[1],
    connection: connection?.effectiveType,
    device_memory: (navigator as any).deviceMemory,
    save_data: connection?.saveData,
    sample_n: weight() !== 1 && weight(),
    snippet: __VERSION__,
    config: remote().version,
    ...(FULL && { attributes: page._attributes, flags: page._flags }),
    dropped,
  }).slice(0, -1);
};

/** When a beacon is handed to the browser, that moment goes in last. */
export const stamp = (text: string): string => `${text},"sent_at":${Date.now()}}`;

const said = (event: Event, i: number, events: Event[]): string => {
  let text = texts.get(event);
  if (!text) {
    if (FULL) told = events.findLast((e, j) => j < i && e.crumbs)?.crumbs;
    texts.set(event, (text = encode(event)));
  }
  return text;
};

const prepare = (v: View): void => {
  v._fill?.();
  texts.delete(v._event);
  if (FULL) v._events = v._events.filter(({ type }) => captures(type!));
};

/** The text of the waiting events, nothing sealed: for the standing fetchLater. */
export const draft = (v: View): string => {
  prepare(v);
  return `${head(v)},"deferred":true,"events":[${v._events.map(said)}]`;
};

/** Moves all waiting events of a view into parcels. */
export const seal = (v: View): Parcel[] => {
  const parcels: Parcel[] = [];
  prepare(v);
  while (v._events[0]) {
    let sum = 0;
    let parts = v._events.map(said);
    // Bytes, not characters, for the browser's quota counts bytes: never more than three each.
    // At least one.
    parts = parts.filter((part, i) => (sum += part.replace(/[^ -~]/g, 'xxx').length) < LIMIT || !i);
    parcels.push({ _text: `${head(v, takeDropped())},"events":[${parts}]`, _count: parts.length });
    left(v, parts.length);
  }
  pending.delete(v);
  return parcels;
};

/** So many of a view's events have left: the next beacon has another id and number. */
export const left = (v: View, count: number): void => {
  v._events.splice(0, count);
  v._fill = undefined; // the view event left with the first, once
  v._events.forEach((event) => texts.delete(event)); // others may come before them now
  v._beacon = hex(4);
  v._seq++;
};
