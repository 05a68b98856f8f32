/** Feeds: which requests were batches of an infinite scroll, and how long the reader waited for each.
 *
 * Nothing is configured: a request that scrolling caused is a batch when new content then appears at the end of what
 * was scrolled. Geometry is read after a frame, when layout is done, so that reading forces none.
 */
import { followScrolls, scrolledAt } from './cause';
import { observe, on, safe } from './guard';
import { onLeave } from './delivery';
import { onRequest, type Request } from './requests';
import { captures } from './remote';
import { cleanUrl } from './text';
import { newSpan } from './trace';
import { change, emit, now, onView, view } from './view';

interface Feed {
  _name: string;
  /** Times its content grew. */
  _grown: number;
  /** Its requests since then. */
  _burst: number;
}

interface Load {
  _request: Request;
  _feed: Feed;
  _batch: number;
  _burst: number;
  _duplicates: number;
  _distance?: number;
  _depth?: number;
}

/** After a response, so long may the content take to appear. */
const PATIENCE = 3000;

let feeds: Record<string, Feed> = {};
let loads: Load[] = [];
/** Requests that also come without scrolling: polls. */
let polls = new Set<string>();

// What was read after the last frame.
let scroller: Element | undefined;
let height = 0;
let top = 0;
let room = 0;
/** Since when the reader stands at the end, or 0. */
let endSince = 0;
let lookTimer = 0;
let added: Element[] = [];
/** A growth nobody has claimed: a script's timing is learned only after its content. */
let unclaimed: { _at: number; _items: number; _stall: number; _name: string } | undefined;

/** After this frame: layout is clean, and what it drew is on its way to the screen. */
const afterFrame = (call: () => void): void => void requestAnimationFrame(() => setTimeout(safe(call)));

const distance = (): number => Math.round(height - top - room);

const look = (): void => {
  lookTimer = 0;
  const s = scroller || document.scrollingElement;
  if (!s) return;
  const t = now();
  const before = height;
  height = s.scrollHeight;
  top = s.scrollTop;
  room = s.clientHeight;
  for (const load of loads) {
    load._distance ??= distance();
    load._depth ??= Math.round(top);
  }
  const last = added[added.length - 1];
  // New content counts at the end, not at the top: a ticker is no feed.
  if (
    before &&
    height > before + 1 &&
    (!last?.isConnected || last.getBoundingClientRect().bottom - s.getBoundingClientRect().top + (s === document.scrollingElement ? 0 : top) > before - 2 * room)
  )
    grow(t);
  if (distance() > 2) endSince = 0;
  else endSince ||= t;
  added = [];
  if (!loads.length && distance() > 2 * room) mutations.disconnect();
};

const soon = (): void => {
  if (lookTimer) return;
  lookTimer = 1;
  afterFrame(look);
};

const mutations = new MutationObserver((records) => {
  for (const { addedNodes } of records) for (const node of addedNodes) if (node.nodeType === 1) added.push(node as Element);
  soon();
});

const watch = (): void =>
  mutations.observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['style'] });

/** How many of the added are items: those of the parent with the most, or what the only one holds. */
const itemsOf = (): [count: number, parent: Element | null] => {
  const counts = new Map<Element | null, Element[]>();
  let most: Element[] = [];
  for (const el of added) {
    const siblings = counts.get(el.parentElement) || [];
    counts.set(el.parentElement, siblings);
    if (siblings.push(el) > most.length) most = siblings;
  }
  const only = most.length === 1 && most[0]!;
  const inside = only ? only.childElementCount : 0;
  const alike = only && inside > 1 && [...only.children].every((c) => c.localName === only.children[0]!.localName);
  return [alike ? inside : most.length, most[0]?.parentElement || null];
};

const grow = (t: number): void => {
  const [items, parent] = itemsOf();
  const name = parent?.closest<HTMLElement>('[data-farside-feed]')?.dataset.farsideFeed || '';
  const waiting = loads.filter(({ _request: r }) => r._end && !r._failure && (r._certain || items));
  // What was certainly scrolled for comes first; all of one feed that answered were drawn together.
  const first = waiting.find(({ _request: r }) => r._certain) || waiting[0];
  const stall = endSince && t - endSince;
  if (!first) {
    unclaimed = { _at: t, _items: items, _stall: stall, _name: name };
    return;
  }
  if (name) first._feed._name = name;
  const drawn = waiting.filter((load) => load._feed === first._feed);
  for (const load of drawn) finish(load, t, Math.round(items / drawn.length), stall);
  first._feed._grown++;
  first._feed._burst = 0;
};

/** A load has come to its end; `painted` unless its content never came. */
const finish = (load: Load, painted?: number, items?: number, stall = 0): void => {
  loads = loads.filter((l) => l !== load);
  const r = load._request;
  const end = painted || r._end || now();
  r._cause = 'scroll';
  if (r._event) {
    r._event.cause = 'scroll';
    change(r._view);
  }
  emit(
    'feed',
    r._start,
    {
      duration_ms: end - r._start,
      name: load._feed._name,
      url: cleanUrl(r._href),
      status_code: r._status,
      failure: r._failure,
      span_id: r._span,
      batch: load._batch,
      burst: load._burst,
      duplicates: load._duplicates,
      items,
      stall_ms: stall > 0 ? Math.round(stall) : undefined,
      distance_px: load._distance,
      depth_px: load._depth,
      abandoned: !painted && !r._end ? true : undefined,
      phases: r._end
        ? { request_ms: Math.round(r._end - r._start), ...(painted && { paint_ms: Math.round(painted - r._end) }) }
        : undefined,
    } as object,
    r._view,
  );
};

const keyOf = (r: Request): string => r._method + ' ' + new URL(r._href).pathname.replace(/\d+/g, '#');

const begin = (r: Request): void => {
  const key = keyOf(r);
  const known = feeds[key];
  if (r._cause !== 'scroll') {
    if (r._cause === 'timer') polls.add(key);
    return;
  }
  // A guess stays a timer until content proves it right.
  if (!r._certain) {
    if (polls.has(key)) return void (r._cause = 'timer');
    if (!known?._grown) r._cause = 'timer';
  }
  const feed = (feeds[key] ||= { _name: cleanUrl(r._href).split('?')[0]!.replace(/\d+/g, ':n'), _grown: 0, _burst: 0 });
  loads.push({
    _request: r,
    _feed: feed,
    _batch: feed._grown + 1,
    _burst: ++feed._burst,
    _duplicates: loads.filter((l) => l._feed === feed && !l._request._end).length,
  });
  watch();
  soon();
};

const end = (r: Request): void => {
  const load = loads.find((l) => l._request === r);
  if (!load) return;
  const failed = r._failure || r._status! >= 400;
  const give = () => {
    if (!loads.includes(load)) return;
    if (load._feed._grown) finish(load, undefined, undefined, endSince && now() - endSince);
    else loads = loads.filter((l) => l !== load);
  };
  if (failed) give();
  else setTimeout(safe(give), PATIENCE);
  soon();
};

/** JSONP and the like: no call to patch, so it is known by its timing when it is over. */
const scripted = (e: PerformanceResourceTiming): void => {
  if (e.initiatorType !== 'script' || e.startTime < scrollBegan || e.startTime > scrolledAt + 1000 || distance() > 2 * room) return;
  const r = {
    _start: e.startTime,
    _end: e.responseEnd,
    _view: view,
    _href: e.name,
    _method: 'GET',
    _initiator: 'script',
    _cause: 'scroll',
    _span: newSpan(),
  } as Request;
  begin(r);
  const load = loads.find((l) => l._request === r);
  if (load && unclaimed && unclaimed._at >= e.responseEnd && unclaimed._items) {
    if (unclaimed._name) load._feed._name = unclaimed._name;
    finish(load, unclaimed._at, unclaimed._items, unclaimed._stall);
    load._feed._grown++;
    load._feed._burst = 0;
    unclaimed = undefined;
  } else end(r);
};

/** When the present run of scrolling began. */
let scrollBegan = Infinity;
let lastScroll = 0;

export const feedLoads = (): void => {
  if (!captures('feeds')) return;
  followScrolls();
  onRequest(begin, end);
  observe('resource', scripted);
  on(document, 'scroll', ({ target }) => {
    const t = now();
    if (t - lastScroll > 1000) scrollBegan = t;
    lastScroll = t;
    const s = target === document ? document.scrollingElement! : target;
    if (s !== scroller) height = 0;
    scroller = s;
    soon();
    if (distance() < 2 * room || !height) watch();
  });
  const abandon = () => {
    for (const load of loads) if (load._feed._grown || load._request._certain) finish(load);
    loads = [];
  };
  onLeave((gone) => gone && abandon());
  onView(() => {
    abandon();
    feeds = {};
    polls = new Set();
    height = 0;
  });
};
