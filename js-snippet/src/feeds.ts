/** Feeds: which requests were batches of an infinite scroll, and how long the reader waited for each.
 *
 * Nothing is configured: a request that scrolling caused is a batch when new content then appears at the end of what
 * was scrolled. Geometry is read after a frame, when layout is done, so that reading forces none.
 */
import { recent } from './cause';
import { leaving } from './delivery';
import { watchDom } from './dom';
import { nextFrame, observe, on, wait } from './guard';
import { timed } from './network';
import { begin, type Request } from './requests';
import { followScrolls, scrolling } from './scrolling';
import { change, emit, hooks, now, started } from './view';

export interface Feed {
  /** From the page; without one it goes by its address. */
  _name?: string | undefined;
  /** Times its content grew, and its requests since then. */
  _grown: number;
  _burst: number;
  /** It also comes without scrolling. */
  _polls?: boolean;
}

interface Growth {
  _at: number;
  _items: number;
  _stall: number;
  _name: string | undefined;
}

/** After a response, so long may the content take to appear. */
const PATIENCE = 3000;

let feeds: Record<string, Feed> = {};
/** Requests that may turn out to be feed loads; `_feed` and `_batch` are theirs. */
const loads = new Set<Request>();

// What was read after the last frame.
let scroller: Element | null;
let height = 0;
let top = 0;
let room = 0;
/** Since when the reader stands at the end, or 0. */
let endSince = 0;
let looking = false;
let added: Element[] = [];
/** A growth nobody has claimed: a script's timing is learned only after its content. */
let unclaimed: Growth | undefined;
/** When the present run of scrolling began. */
let scrollBegan = Infinity;
let scrolledAt = 0;

const distance = (): number => height - top - room;

const look = (): void => {
  looking = false;
  const s = scroller || document.scrollingElement;
  if (!s) return;
  const before = height;
  height = s.scrollHeight;
  top = Math.round(s.scrollTop);
  room = s.clientHeight;
  loads.forEach(({ _batch }) => {
    _batch!.distance_px ??= distance();
    _batch!.depth_px ??= top;
  });
  const newest = added.at(-1);
  // New content counts at the end: what a ticker puts at the top of a page scrolled down is no batch.
  if (before && height > before + 1 && (!newest?.isConnected || newest.getBoundingClientRect().bottom > 0)) grow();
  if (distance() > 2) endSince = 0;
  else endSince ||= now();
  added = [];
};

/** After this frame layout is clean, and what it drew is on its way to the screen. */
const soon = (): void => {
  if (looking) return;
  looking = true;
  nextFrame(() => wait(look));
};

const mutated = (records: MutationRecord[]): void => {
  records.forEach(({ addedNodes, target }) => {
    // Where there is text alone none of it is looked at: the first text node a page's scripts see costs it 4 KB of heap.
    if ((target as Element).childElementCount)
      addedNodes.forEach((node) => node.nodeType === 1 && added.push(node as Element));
  });
  soon();
};

/** The items among what was added: those of the parent that got most, or what the only one holds. */
const itemsOf = (): Element[] => {
  const byParent = new Map<Element | null, Element[]>();
  let most: Element[] = [];
  added.forEach((el) => {
    const siblings = byParent.get(el.parentElement) || [];
    byParent.set(el.parentElement, siblings);
    if (siblings.push(el) > most.length) most = siblings;
  });
  const inside = most.length === 1 ? [...most[0]!.children] : [];
  return inside.length > 1 && inside.every((el) => el.localName === inside[0]!.localName) ? inside : most;
};

const grow = (): void => {
  const items = itemsOf();
  const growth: Growth = {
    _at: now(),
    _items: items.length,
    _stall: endSince && now() - endSince,
    _name: items[0]?.closest<HTMLElement>('[data-farside-feed]')?.dataset.farsideFeed,
  };
  // What was certainly scrolled for comes first.
  const answered = [...loads].filter((r) => r._end && (r._certain || items[0]));
  const first = answered.find((r) => r._certain) || answered[0];
  if (first) paint(first._feed!, growth);
  else unclaimed = growth;
};

/** All loads of one feed that were answered were drawn together. */
const paint = (feed: Feed, growth: Growth): void => {
  feed._name = growth._name || feed._name;
  const drawn = [...loads].filter((r) => r._feed === feed && r._end);
  drawn.forEach((r) => finish(r, growth, drawn.length));
  feed._grown++;
  feed._burst = 0;
};

/** A load has come to its end; without a growth, its content never came. */
const finish = (r: Request, growth?: Growth, among = 1): void => {
  loads.delete(r);
  const { _start, _end, _event: e, _view, _timing } = r;
  const t = growth ? growth._at : _end || now();
  e.cause = 'scroll';
  change(_view, e);
  // Of a script nothing was said yet: only now it is known to be more than a script.
  if (e.initiator === 'script') emit(_start, { ...e, ...timed(_timing, _start) }, _view);
  emit(
    _start,
    {
      ...r._batch!,
      duration_ms: t - _start,
      name: r._feed!._name,
      status_code: e.status_code,
      failure: e.failure,
      items: growth && Math.round(growth._items / among),
      stall_ms: growth ? growth._stall : endSince && Math.max(0, t - endSince),
      abandoned: !growth && !_end,
      phases: !!_end && { request_ms: _end - _start, paint_ms: !!growth && t - _end },
    },
    _view,
  );
};

const begun = (r: Request): void => {
  const e = r._event;
  const key = e.name + e.url!.split('?')[0]!.replace(/\d+/g, ':n');
  // What comes into view because of a click, or while the page loads, was not scrolled to.
  if (scrolling()) e.cause = recent((r._certain = true) && 'scroll');
  const feed = (r._feed = feeds[key] ||= { _grown: 0, _burst: 0 });
  feed._polls ||= e.cause === 'timer';
  if (e.cause !== 'scroll') return;
  // A guess stays a timer until content proves it right.
  if (!r._certain && (!feed._grown || feed._polls)) e.cause = 'timer';
  if (!r._certain && feed._polls) return;
  r._batch = {
    type: 'feed',
    url: e.url,
    span_id: e.span_id!,
    batch: feed._grown + 1,
    burst: ++feed._burst,
    duplicates: [...loads].filter((other) => other._feed === feed && !other._end).length,
  };
  loads.add(r);
  watchDom(mutated, 3e4);
  soon();
};

/** Nothing came of it: of a known feed that is worth saying. */
const giveUp = (r: Request): void => {
  if (loads.has(r) && r._feed!._grown) finish(r);
  loads.delete(r);
};

const end = (r: Request): void => {
  if (!loads.has(r)) return;
  wait(() => giveUp(r), r._event.failure || r._event.status_code! >= 400 ? 0 : PATIENCE);
  soon();
};

/** JSONP and the like: no call to patch, so it is known by its timing when it is over. */
const scripted = (t: any): void => {
  const { startTime } = t;
  if (startTime < scrollBegan || startTime > scrolledAt + 1000 || distance() > 2 * room) return;
  const r = begin(t.name, 'GET', 'script', startTime, 'scroll');
  r._end = t.responseEnd;
  r._timing = t;
  if (!loads.has(r)) return;
  if (unclaimed?._items && unclaimed._at >= t.responseEnd) paint(r._feed!, unclaimed);
  else end(r);
  unclaimed = undefined;
};

export const feedLoads = (): void => {
  followScrolls();
  hooks._begin = begun;
  hooks._end = end;
  observe('resource', (t) => t.initiatorType === 'script' && scripted(t));
  on('scroll', ({ target }) => {
    const t = now();
    if (t > scrolledAt + 1000) scrollBegan = t;
    scrolledAt = t;
    const s = target === document ? document.scrollingElement : target;
    if (s !== scroller) height = 0;
    scroller = s;
    if (distance() < 2 * room || !height) watchDom(mutated, PATIENCE);
    soon();
  });
  const abandon = () => loads.forEach(giveUp);
  leaving.push((gone) => gone && abandon());
  started.push(() => {
    abandon();
    feeds = {};
    height = 0;
  });
};
