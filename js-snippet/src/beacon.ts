/** Beacon: a view's waiting events as the text of docs/wire.md, split well under the 64 KiB all keepalive requests share. */
import { takeDropped } from './guard';
import { options } from './options';
import { captures, remote, sample } from './remote';
import { sessionId } from './session';
import { cut, hex } from './text';
import { pending, routeOf, type View } from './view';

/** A sealed beacon: its text does not change any more, but for the time it is sent. */
export interface Parcel {
  _text: string;
  _count: number;
  /** It has failed before. */
  _again?: boolean;
  _flying?: boolean;
}

/** What the page adds to every event. */
export const page: {
  _attributes?: Record<string, string>;
  _flags?: Record<string, [string, string]>;
  _width?: number;
  _height?: number;
} = {};

const LIMIT = 16_000;

/** How long texts may be, where it is not 1,024. */
const LIMITS: Record<string, number> = { stack: 16_384, breadcrumbs: 8192, url: 2048, name: 256, target: 256, route: 256, cause: 32 };
for (const name of ['user_id', 'release', 'environment', 'error_type']) LIMITS[name] = 128;

/** Addresses in messages, stacks and names have queries too, and lose them. */
const ADDRESS = /(https?:[^\s?#]+)[?#][^\s:)"]*/g;

/** JSON as short as it can be said: numbers to what the clock can tell, texts to their limits, nothing that is empty. */
const encode = (value: unknown): string =>
  JSON.stringify(value, (name, v) =>
    typeof v === 'number'
      ? isFinite(v)
        ? +v.toFixed(v < 10 ? 4 : 1)
        : undefined
      : typeof v === 'string'
        ? cut(name === 'url' ? v : v.replace(ADDRESS, '$1'), LIMITS[name] || 1024) || undefined
        : v || undefined,
  );

const head = (v: View, dropped?: Record<string, number>): string => {
  const { effectiveType, saveData } = (navigator as any).connection || {};
  const { key, user, release, environment } = options;
  return encode({
    v: 1,
    key,
    beacon_id: v._beacon,
    seq: v._seq,
    session_id: (v._session ||= sessionId()),
    view_id: v._id,
    view_started_at: v._started,
    url: v._url,
    route: routeOf(v),
    navigation: v._navigation,
    visibility: ['', 'visible', 'hidden', 'mixed'][v._seen],
    trace_id: v._trace,
    span_id: v._span,
    user_id: user,
    release,
    environment,
    // Asked for once: it makes a browser lay the page out.
    viewport_width: (page._width ??= innerWidth),
    viewport_height: (page._height ??= innerHeight),
    connection: effectiveType,
    device_memory: (navigator as any).deviceMemory,
    save_data: saveData,
    sample_n: sample() > 1 && sample(),
    snippet: __VERSION__,
    config: remote().version,
    ...(FULL && { attributes: page._attributes, flags: page._flags }),
    dropped,
  }).slice(0, -1);
};

/** When a beacon is handed to the browser, that moment goes in last. */
export const stamp = (text: string): string => `${text},"sent_at":${Date.now()}}`;

const prepare = (v: View): void => {
  v._fill?.();
  if (FULL) v._events = v._events.filter(({ type }) => captures(type!));
};

/** The text of the waiting events, nothing sealed: for the standing fetchLater. */
export const draft = (v: View): string => {
  prepare(v);
  return `${head(v)},"deferred":true,"events":${encode(v._events)}`;
};

/** Moves all waiting events of a view into parcels. */
export const seal = (v: View): Parcel[] => {
  const parcels: Parcel[] = [];
  prepare(v);
  while (v._events.length) {
    const parts: string[] = [];
    let sum = 0;
    for (const event of v._events) {
      const part = encode(event);
      // Bytes, not characters, for the browser's quota counts bytes: never more than three each.
      sum += part.replace(/[^ -~]/g, 'xxx').length;
      if (sum > LIMIT && parts.length) break;
      parts.push(part);
    }
    parcels.push({
      _text: `${head(v, takeDropped())},"events":[${parts}]`,
      _count: parts.length,
    });
    left(v, parts.length);
  }
  pending.delete(v);
  return parcels;
};

/** So many of a view's events have left: the next beacon has another id and number. */
export const left = (v: View, count: number): void => {
  v._events.splice(0, count);
  v._fill = undefined; // the view event left with the first, once
  v._beacon = hex(16);
  v._seq++;
};
