/** Vitals: LCP, INP, CLS, FCP and TTFB by the rules of web-vitals, per view, each with what was to blame.
 *
 * The rules are those of https://github.com/GoogleChrome/web-vitals (tests hold the two side by side in one page); they
 * are written anew because that library alone would take half of what the whole snippet may weigh. Every change amends
 * the waiting event, so that a page which dies without a word has left its last value.
 */
import { blameInp, blameLcp, type Frame } from './blame';
import { nextFrame, observe, on } from './guard';
import { last } from './cause';
import { leaving } from './delivery';
import { selector } from './text';
import { atIn, change, emit, hidden, navigationEntry, now, started, prerendering, view, views, type View } from './view';
import type { Event } from './wire';

/** The view in which something happened: the latest that had begun. */
const viewAt = (t: number): View => views.findLast((v) => v._created <= t) || views[0]!;

const put = (v: View, name: string, value: number, at: number, blame?: Partial<Event>): void => {
  const fields: Event = { type: 'vital', name, value, ...blame };
  const known = v._events.find((event) => event.type === 'vital' && event.name === name);
  if (known) {
    // The element may be gone by the time a value is confirmed: keep what was known of it.
    Object.assign(known, fields, { at: atIn(v, at), target: fields.target || known.target });
    change(v, known);
  } else emit(at, fields, v);
};

const putCls = (v: View): void => {
  put(v, 'CLS', v._most, v._worst || v._origin, { target: v._target });
};

/** Session windows: a second apart at most, five long at most. https://web.dev/articles/cls */
const shift = (e: any): void => {
  if (e.hadRecentInput) return;
  const t = e.startTime;
  const v = viewAt(t);
  // Of the first, neither time is known: it begins a window.
  if (!(t - v._last! < 1000 && t - v._from! < 5000)) {
    v._sum = 0;
    v._from = t;
  }
  v._last = t;
  v._sum! += e.value;
  if (v._sum! <= v._most) return;
  v._most = v._sum!;
  v._worst = t;
  v._target = selector(e.sources?.find(({ node }: any) => node?.nodeType === 1)?.node) || v._target;
  if (v._painted) putCls(v);
};

/** The 98th percentile of all interactions, from the ten longest. https://web.dev/articles/inp */
const putInp = (v: View, frame?: Frame): void => {
  const count = (performance as any).interactionCount - v._interactions;
  const worst = v._slow[(count / 50) | 0] || v._slow.at(-1);
  // All too short for an entry. A hard view has its first input, whose entry comes however short it was.
  const ms = worst ? worst._ms : count > 0 && v !== views[0] && 8;
  // More events of the same frame make the same value, and tell more of its parts.
  if (ms && (ms !== v._inp || (frame && frame === worst?._entries[0]._frame)))
    put(v, 'INP', (v._inp = ms), worst ? worst._entries[0].startTime : v._origin, worst && blameInp(ms, worst._entries));
};

/** Of each recent frame: when it was drawn, and from when until when events were handled in it. */
const frames: Frame[] = [];

const noteFrame = (e: any): void => {
  const drawn = e.startTime + e.duration;
  // Durations are rounded to 8 ms.
  let frame = frames.find((f) => Math.abs(f._drawn - drawn) <= 8);
  if (!frame) {
    frames.push((frame = { _drawn: drawn, _from: Infinity, _until: 0 }));
    if (frames.length > 20) frames.shift();
  }
  frame._from = Math.min(frame._from, e.processingStart);
  frame._until = Math.max(frame._until, e.processingEnd);
  e._frame = frame;
};

const interact = (e: any): void => {
  if (FULL) noteFrame(e);
  const id = e.interactionId;
  if (!id) return;
  const v = viewAt(e.startTime);
  const slow = v._slow;
  const known = slow.find((i) => i._id === id);
  // The element's name is only to be had while it is there; our own listener has seen it, too.
  if (FULL && Math.abs(e.startTime - last._at) < 9) e._name = last._target;
  if (!known) slow.push({ _id: id, _ms: e.duration, _entries: [e] });
  else if (e.duration > known._ms) {
    known._ms = e.duration;
    known._entries = [e];
  } else if (e.duration === known._ms && e.startTime === known._entries[0].startTime) known._entries.push(e);
  slow.sort((a, b) => b._ms - a._ms).splice(10);
  putInp(v, e._frame);
};

/** A paint counts unless the page was hidden before it. */
const shown = (v: View, t: number): boolean => !(t >= v._hiddenAt!);

const putLcp = (v: View, value: number, entry: any, zero: number, ttfb: number): void =>
  put(v, 'LCP', value, zero + value, blameLcp(value, entry, zero, ttfb));

const measureHard = (): void => {
  const v = views[0]!;
  const nav = navigationEntry() || {};
  const zero = nav.activationStart || 0;
  const sinceZero = (t: number) => Math.max(t - zero, 0);
  v._hiddenAt =
    performance.getEntriesByType('visibility-state').find((e) => e.name === 'hidden' && e.startTime >= zero)?.startTime ??
    (hidden() ? 0 : undefined);
  const ttfb = nav.responseStart;
  // Some browsers report 0 or the future: https://github.com/GoogleChrome/web-vitals/issues/137
  if (ttfb > 0 && ttfb < now()) put(v, 'TTFB', sinceZero(ttfb), ttfb);
  observe('paint', ({ name, startTime }) => {
    if (name !== 'first-contentful-paint' || !shown(v, startTime)) return;
    put(v, 'FCP', sinceZero(startTime), startTime);
    v._painted = true;
    if (shifts) putCls(v);
  });
  observe('largest-contentful-paint', (e) => {
    if (shown(v, e.startTime)) putLcp(v, sinceZero(e.startTime), e, zero, sinceZero(ttfb));
  });
  const shifts = observe('layout-shift', shift);
  observe('event', interact);
  observe('first-input', interact);
  started.push((v) => {
    v._painted = true;
    if (shifts) putCls(v);
    if (v._navigation !== 'restore') return;
    // Two frames later a page from the bfcache has been drawn.
    nextFrame(() =>
      nextFrame(() => {
        const took = (v._event.duration_ms = now() - v._origin);
        put(v, 'FCP', took, v._origin);
        put(v, 'LCP', took, v._origin);
      }),
    );
  });
};

/** Soft navigations by the browser's own entries, where it has them.
 * https://developer.chrome.com/docs/web-platform/soft-navigations */
const measureSoft = (): void => {
  const paint = (e: any): void => {
    const v = e && views.find((v) => v._interaction === e.interactionId);
    const largest = e?.largestContentfulPaint;
    if (v && largest && shown(v, largest.renderTime)) putLcp(v, e.duration, largest, e.startTime, 0);
  };
  observe('soft-navigation', (e) => {
    const v = views.find((v) => v._navigation === 'soft' && v._created >= e.startTime && !v._interaction);
    if (!v) return;
    v._interaction = e.interactionId;
    v._event.initiator = 'soft-navigation';
    put(v, 'FCP', (e.presentationTime || e.paintTime) - e.startTime, e.startTime);
    paint(e.getLargestInteractionContentfulPaint?.());
  });
  observe('interaction-contentful-paint', paint);
};

export const vitals = (): void => {
  // While a page is prerendered nobody sees it; all entries are delivered again after its activation.
  if (prerendering()) on('prerenderingchange', measureHard);
  else measureHard();
  if (FULL) measureSoft();
  leaving.push(() => putInp(view));
};
