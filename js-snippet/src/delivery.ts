/** Delivery: beacons leave by the phase the page is in, and what could not leave waits.
 *
 * Visible: fetch with keepalive, so that the status is seen and 429 and 5xx are tried again. Hidden: sendBeacon. Always:
 * one standing fetchLater of what has not left yet, which the browser sends even when the renderer is killed
 * (https://developer.mozilla.org/docs/Web/API/Window/fetchLater). Sending twice is harmless: the collector drops repeats by id.
 */
import { draft, left, seal, stamp, type Parcel } from './beacon';
import { drain, drop, on, safe, wait } from './guard';
import { list, options } from './options';
import { unpatch } from './patch';
import { announced, remote, sampled } from './remote';
import { allowed, optedOut, read, touch, write } from './session';
import { hidden, navigationEntry, pending, prerendering, view, views, hooks, wake, type View } from './view';

const STORE = '.waiting';
const MOST_WAITING = 20;
/** A standing beacon this long leaves at once. */
const LONG = 12_000;

let outbox: Parcel[] = [];
/** Failed attempts in a row; while there are any, one parcel at a time is tried. */
let failures = 0;
/** Set until the next attempt. */
let retryTimer: any;
let flushTimer: any;
let standTimer: any;
/** The browser is told of what waits after so many ms, if it is not urgent: telling it is what costs most. */
let standGap = 300;
let gap = 15_000;
/** Whether this reader may be recorded; not known until something is about to leave. */
let recorded: boolean | undefined;

/** The fetch that we have not patched. */
let send: typeof fetch;
/** https://developer.mozilla.org/docs/Web/API/Window/fetchLater, where there is one. */
let later: ((url: string, init: object) => { activated: boolean }) | undefined;

/** Whether this reader may be observed, for all that they and their browser say. */
const welcome = (): boolean => {
  const signals = navigator as any;
  const respect = list(options.respect);
  return !(
    optedOut() ||
    (respect.includes('gpc') && signals.globalPrivacyControl) ||
    (respect.includes('dnt') && signals.doNotTrack > 0)
  );
};

const decide = (): void => {
  const ok = welcome();
  recorded = ok && remote().enabled !== false;
  // Nobody replies to who sends nothing: whether that still holds has to be asked for.
  if (ok && !(recorded && sampled())) announced('?', send);
  if (!recorded) stop();
  else if (FULL) {
    // What an earlier view could not deliver goes first.
    outbox = (read(STORE) || []).map((_text: string) => ({ _text, _count: 1 }));
    if (outbox[0]) write([], STORE);
  }
};

const may = (): boolean => {
  hooks._boot();
  if (!allowed() || prerendering()) return false;
  recorded ?? decide();
  return recorded! && sampled();
};

// --- the standing beacon ---------------------------------------------------------------------------------------------

/** Calls the standing beacon off; if the browser has sent it already (a page in the bfcache), its events have left. */
const recall = (v: View): void => {
  if (v._later?.activated) left(v, v._held!);
  v._abort?.abort();
  v._later = v._abort = undefined;
};

const stand = (): void => {
  standTimer = 0;
  if (!may()) return;
  pending.forEach((v) => {
    if (v._later?.activated) recall(v);
    const text = draft(v);
    if (text.length > LONG) return flush();
    const body = stamp(text);
    // Called off as late as can be: a renderer that dies before the next one stands leaves nothing of the view.
    recall(v);
    v._held = v._events.length;
    v._abort = new AbortController();
    // Over the quota it throws, and the next flush has to do.
    v._later = later!(options.url!, { method: 'POST', body, signal: v._abort.signal });
  });
};

// --- visible ---------------------------------------------------------------------------------------------------------

const post = (parcel: Parcel): void => {
  const failed = (after?: number) => {
    parcel._flying = false;
    clearTimeout(retryTimer);
    retryTimer = wait(
      () => {
        retryTimer = 0;
        pump();
      },
      Math.max(after || 0, 500 * 2 ** Math.min(7, ++failures) * (1 + Math.random())),
    );
  };
  parcel._flying = true;
  send(options.url!, {
    method: 'POST',
    body: stamp(parcel._text),
    // The standing fetchLater and every other user of keepalive share 64 KiB; further attempts do without.
    keepalive: !failures,
    credentials: 'omit',
  }).then(
    safe((reply: Response) => {
      if (/408|429|5../.test('' + reply.status)) return failed(+reply.headers.get('Retry-After')! * 1000);
      outbox = outbox.filter((p) => p !== parcel);
      if (!reply.ok) drop('refused', parcel._count);
      announced(reply.headers.get('X-Farside-Config'), send);
      failures = retryTimer = 0;
      pump();
    }),
    safe(() => failed()),
  );
};

const pump = safe((): void => {
  if (!navigator.onLine || retryTimer) return;
  // No more than fit the quota beside the standing beacon; while it fails, one at a time.
  outbox.slice(0, failures ? 1 : 3).forEach((parcel) => parcel._flying || post(parcel));
});

/** Called before events leave; `gone` is true when the page itself goes. */
export const leaving: ((gone?: boolean) => void)[] = [];

/** Seals what waits, bounded: a view's beginning is worth more than its noise, so the newest goes. */
const collect = (gone?: boolean): void => {
  drain();
  leaving.forEach((call) => safe(call)(gone));
  pending.forEach((v) => {
    recall(v);
    outbox.push(...seal(v));
  });
  // Last, for what was drained and summed has asked for another flush.
  clearTimeout(flushTimer);
  flushTimer = 0;
  outbox.splice(MOST_WAITING).forEach((lost) => drop('outbox', lost._count));
  touch();
};

export const flush = safe((): void => {
  if (!may()) {
    // Nobody may ever say yes: no more is kept than the latest few views.
    if (FULL) pending.forEach((v) => views.includes(v) || pending.delete(v));
    return;
  }
  collect();
  // A long visit says the same things for hours: ever less often, for fetchLater keeps them safe meanwhile.
  gap = Math.min(3e4, gap * 1.5);
  pump();
});

// --- hidden ----------------------------------------------------------------------------------------------------------

const leave = (gone?: boolean): void => {
  if (!may()) return;
  collect(gone);
  const unsure = failures || !navigator.onLine;
  outbox = outbox.filter((p) => (!unsure && p._flying) || !navigator.sendBeacon(options.url!, stamp(p._text)) || unsure);
  if (FULL) {
    // While the collector is away nobody would see a beacon fail, and a browser whose quota is full takes none: a copy
    // goes to storage, for the next view to send. What is in flight goes on without us.
    const kept = outbox.filter((p) => unsure || !p._flying);
    if (kept[0]) write([...(read(STORE) || []), ...kept.map((p) => p._text)].slice(-MOST_WAITING), STORE);
  }
  pump();
};

/** From here on nothing is kept, sent or patched. */
export const stop = (): void => {
  recorded = false;
  unpatch();
  pending.forEach(recall);
  pending.clear();
  outbox = [];
};

/** Begins to deliver: a first beacon soon after load, the last when the page is hidden. */
export const deliver = (): void => {
  ({ fetch: send, fetchLater: later } = window as any);
  hooks._tell = (urgent) => {
    if (later && (!standTimer || urgent)) {
      clearTimeout(standTimer);
      standTimer = wait(stand, urgent ? 0 : standGap);
    }
    flushTimer ||= wait(flush, gap);
  };
  const first = () => {
    // Nothing to wait for when there is no navigation entry.
    if (navigationEntry()?.loadEventEnd === 0) return wait(first, 500);
    gap = 5000;
    standGap = 1000;
    flush();
  };
  wait(first, 1000);
  const turn = (event: Event) => {
    if (hidden()) {
      leave();
      view._hiddenAt ??= event.timeStamp;
    }
    // Only what happens from here on was lived in the background; a page that just ends was not.
    view._seen |= 1 + +hidden();
    if (FULL) wake();
    hooks._tell();
    pump();
  };
  // Bubbling: after the page's own handlers have had their say.
  on('visibilitychange', turn, window, false);
  on('prerenderingchange', turn);
  on('freeze pagehide', (e) => leave(e.type === 'pagehide'));
  on('online', pump);
  on('resize', () => {
    // It may come before the first view has begun.
    if (view) view._size = undefined;
  });
};
