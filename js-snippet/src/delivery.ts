/** Delivery: beacons leave by the phase the page is in, and what could not leave waits.
 *
 * Visible: fetch with keepalive, so that the status is seen and 429 and 5xx are tried again. Hidden: sendBeacon. Always:
 * one standing fetchLater of what has not left yet, which the browser sends even when the renderer is killed
 * (https://developer.mozilla.org/docs/Web/API/Window/fetchLater). Sending twice is harmless: the collector drops repeats by id.
 */
import { draft, left, seal, stamp, type Parcel } from './beacon';
import { drain, drop, on, safe } from './guard';
import { list, options } from './options';
import { unpatch } from './patch';
import { announced, remote, sample } from './remote';
import { allowed, chosen, optedOut, read, touch, write } from './session';
import { hidden, navigationEntry, pending, prerendering, view, hooks, wake, type View } from './view';

const STORE = '.waiting';
const MOST_WAITING = 20;
/** A standing beacon this long leaves at once. */
const LONG = 12_000;

let outbox: Parcel[] = [];
/** Failed attempts in a row; while there are any, one parcel at a time is tried. */
let failures = 0;
let retryAt = 0;
let flushTimer: any;
let standTimer: any;
let gap = 15_000;
/** Whether this reader is recorded; not known until something is about to leave. */
let recorded: boolean | undefined;

/** The fetch that we have not patched. */
let send: typeof fetch;
/** https://developer.mozilla.org/docs/Web/API/Window/fetchLater, where there is one. */
let later: ((url: string, init: object) => { activated: boolean }) | undefined;

/** Whether this reader may be observed, for all that they and their browser say. */
const welcome = (): boolean => {
  const { globalPrivacyControl: gpc, doNotTrack: dnt } = navigator as any;
  const respect = list(options.respect);
  return !(optedOut() || (gpc && respect.includes('gpc')) || (dnt > 0 && respect.includes('dnt')));
};

const may = (): boolean => {
  hooks._boot();
  if (!allowed() || prerendering()) return false;
  if (recorded === undefined) {
    recorded = welcome() && remote().enabled !== false && chosen(sample());
    // What an earlier view could not deliver goes first.
    if (recorded) for (const _text of (FULL && read(STORE)) || []) outbox.push({ _text, _count: 1 });
    // Nobody replies to who sends nothing: whether that still holds has to be asked for.
    else announced('?', send);
    if (FULL && outbox[0]) write([], STORE);
    if (!recorded) stop();
  }
  return recorded;
};

// --- the standing beacon ---------------------------------------------------------------------------------------------

/** Calls the standing beacon off; if the browser has sent it already (a page in the bfcache), its events have left. */
const recall = (v: View): void => {
  if (v._later?.activated) left(v, v._held!);
  v._abort?.abort();
  v._later = v._abort = undefined;
};

const stand = safe((): void => {
  standTimer = 0;
  if (!may()) return;
  for (const v of pending) {
    recall(v);
    const text = draft(v);
    if (text.length > LONG) return flush();
    v._held = v._events.length;
    v._abort = new AbortController();
    // Over the quota it throws, and the next flush has to do.
    v._later = later!(options.url!, { method: 'POST', body: stamp(text), signal: v._abort.signal });
  }
});

// --- visible ---------------------------------------------------------------------------------------------------------

const post = (parcel: Parcel): void => {
  const failed = (after?: number) => {
    parcel._flying = false;
    parcel._again = true;
    const wait = Math.max(after || 0, 500 * 2 ** Math.min(7, ++failures) * (1 + Math.random()));
    retryAt = Date.now() + wait;
    setTimeout(pump, wait + 50);
  };
  parcel._flying = true;
  send(options.url!, {
    method: 'POST',
    body: stamp(parcel._text),
    // The standing fetchLater and every other user of keepalive share 64 KiB; a second attempt does without.
    keepalive: !parcel._again,
    credentials: 'omit',
  }).then(
    safe(({ status, headers }: Response) => {
      if (/408|429|5../.test('' + status)) return failed(+headers.get('Retry-After')! * 1000);
      outbox = outbox.filter((p) => p !== parcel);
      if (status >= 400) drop('refused', parcel._count);
      announced(headers.get('X-Farside-Config'), send);
      if (failures) {
        failures = 0;
        pump();
      }
    }),
    safe(() => failed()),
  );
};

const pump = safe((): void => {
  if (!navigator.onLine || (failures && Date.now() < retryAt)) return;
  for (const parcel of outbox) {
    if (!parcel._flying) post(parcel);
    if (failures) return;
  }
});

const leaving: ((gone?: boolean) => void)[] = [];
/** Calls before events leave; `gone` is true when the page itself goes. */
export const onFlush = (call: (gone?: boolean) => void): void => void leaving.push(call);

/** Seals what waits, bounded: a view's beginning is worth more than its noise, so the newest goes. */
const collect = (gone?: boolean): void => {
  clearTimeout(flushTimer);
  flushTimer = 0;
  drain();
  for (const call of leaving) safe(call)(gone);
  for (const v of pending) {
    recall(v);
    outbox.push(...seal(v));
  }
  for (const lost of outbox.splice(MOST_WAITING)) drop('outbox', lost._count);
  touch();
};

export const flush = safe((): void => {
  if (!may()) return;
  collect();
  // A long visit says the same things for hours: ever less often, for fetchLater keeps them safe meanwhile.
  gap = Math.min(3e4, gap * 1.5);
  pump();
});

// --- hidden ----------------------------------------------------------------------------------------------------------

const leave = (gone?: boolean): void => {
  if (!may()) return;
  collect(gone);
  // While the collector is away nobody would see a beacon fail: a copy goes to storage, for the next view to send.
  const unsure = failures || !navigator.onLine;
  if (FULL && unsure) write([...(read(STORE) || []), ...outbox.map((p) => p._text)].slice(-MOST_WAITING), STORE);
  // What is in flight goes on without us.
  outbox = outbox.filter((p) => (!unsure && p._flying) || !navigator.sendBeacon(options.url!, stamp(p._text)) || unsure);
  pump();
};

/** From here on nothing is kept, sent or patched. */
export const stop = (): void => {
  recorded = false;
  unpatch();
  for (const v of pending) recall(v);
  pending.clear();
  outbox = [];
};

/** Begins to deliver: a first beacon soon after load, the last when the page is hidden. */
export const deliver = (): void => {
  ({ fetch: send, fetchLater: later } = window as any);
  hooks._tell = (urgent) => {
    if (later && (!standTimer || urgent)) {
      clearTimeout(standTimer);
      standTimer = setTimeout(stand, urgent ? 0 : 300);
    }
    flushTimer ||= setTimeout(flush, gap);
  };
  const first = () => {
    // Nothing to wait for when there is no navigation entry.
    if (navigationEntry()?.loadEventEnd === 0) return void setTimeout(first, 500);
    gap = 5000;
    flush();
  };
  setTimeout(first, 1000);
  const turn = () => {
    if (hidden()) leave();
    // Only what happens from here on was lived in the background; a page that just ends was not.
    view._seen |= 1 + +hidden();
    if (FULL) wake();
    hooks._tell();
    pump();
  };
  // Bubbling: after the page's own handlers have had their say.
  on('visibilitychange', turn, window, false);
  on('prerenderingchange', turn);
  on('freeze pagehide', ({ type }) => leave(type === 'pagehide'));
  on('online', pump);
};
