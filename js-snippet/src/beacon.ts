/** Beacon: a view's waiting events as the text of docs/wire.md, split well under the 64 KiB all keepalive requests share. */
import { takeDropped } from './guard';
import { options } from './options';
import { sample } from './sampling';
import { cut, hex, tenth } from './text';
import { pending, routeOf, type View } from './view';

/** A sealed beacon: its text does not change any more, but for the time it is sent. */
export interface Parcel {
  _text: string;
  _count: number;
  _tries: number;
  _flying?: boolean;
}

/** What the page adds to every event. */
export const page: {
  _attributes?: Record<string, string>;
  _flags?: Record<string, [string, string]>;
  _user?: string | undefined;
} = {};

const LIMIT = 16_000;

declare const __VERSION__: string;

/** Bytes, not characters: the browser's quota counts bytes. */
const size = (text: string): number => new TextEncoder().encode(text).length;

const head = (v: View, dropped?: Record<string, number>): string => {
  const { effectiveType, saveData } = (navigator as any).connection || {};
  const { release, environment, user } = options;
  const text = (value: string | undefined) => value && cut(value, 128);
  return JSON.stringify({
    v: 1,
    key: options.key,
    beacon_id: v._beacon,
    seq: v._seq,
    session_id: v._session,
    view_id: v._id,
    view_started_at: tenth(v._started),
    url: v._url,
    route: routeOf(v),
    navigation: v._navigation,
    visibility: ['visible', 'visible', 'hidden', 'mixed'][v._seen],
    trace_id: v._trace,
    span_id: v._span,
    user_id: text(page._user || user),
    release: text(release),
    environment: text(environment),
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    connection: effectiveType,
    device_memory: (navigator as any).deviceMemory,
    save_data: saveData || undefined,
    sample_n: sample() > 1 ? sample() : undefined,
    snippet: __VERSION__,
    attributes: page._attributes,
    flags: page._flags,
    dropped,
  }).slice(0, -1);
};

/** The text of the waiting events, nothing sealed: for the standing fetchLater. */
export const draft = (v: View): string => {
  v._fill?.();
  return `${head(v)},"events":${JSON.stringify(v._events)}`;
};

/** When a beacon is handed to the browser, that moment goes in last. */
export const stamp = (text: string): string => `${text},"sent_at":${Date.now()}}`;

/** Moves all waiting events of a view into parcels. */
export const seal = (v: View): Parcel[] => {
  const parcels: Parcel[] = [];
  v._fill?.();
  v._fill = undefined; // the view event leaves now, once
  while (v._events.length) {
    const parts: string[] = [];
    let sum = 0;
    for (const event of v._events) {
      const part = JSON.stringify(event);
      sum += size(part);
      if (sum > LIMIT && parts.length) break;
      parts.push(part);
    }
    v._events.splice(0, parts.length);
    parcels.push({
      _text: `${head(v, takeDropped())},"events":[${parts}]`,
      _count: parts.length,
      _tries: 0,
    });
    next(v);
  }
  pending.delete(v);
  return parcels;
};

/** The next beacon of this view has another id and number. */
export const next = (v: View): void => {
  v._beacon = hex(16);
  v._seq++;
};
