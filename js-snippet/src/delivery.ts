/** Delivery: beacons leave by the phase the page is in, and what could not leave waits.
 *
 * Visible: fetch with keepalive, so that the status is seen and 429 and 5xx are tried again. Hidden: sendBeacon. Always:
 * one standing fetchLater of what has not left yet, which the browser sends even when the renderer is killed
 * (https://developer.mozilla.org/docs/Web/API/Window/fetchLater). Sending twice is harmless: the collector drops repeats by id.
 */
import { draft, next, seal, stamp, type Parcel } from './beacon';
import { drop, on, safe } from './guard';
import { options } from './options';
import { announced } from './remote';
import { sampled } from './sampling';
import { allowed, KEY, read, touch, write } from './session';
import { pending, seen, view, views, waiting, wake, type View } from './view';

const STORE = KEY + '.waiting';
const MOST_WAITING = 20;
/** A standing beacon this long leaves at once. */
const LONG = 12_000;

let outbox: Parcel[] = [];
/** Failed attempts in a row; while there are any, one parcel at a time is tried. */
let failures = 0;
let retryAt = 0;
let flushTimer: any;
let standTimer: any;
let retryTimer: any;
let gap = 15_000;
let stopped = false;

/** The browser's own fetch, taken before anything is patched by us. */
const send = window.fetch;
const later: ((url: string, init: object) => { activated: boolean }) | undefined = (window as any).fetchLater;

const may = (): boolean => !stopped && allowed() && !(document as any).prerendering && sampled();

// --- the standing beacon ---------------------------------------------------------------------------------------------

/** Calls the standing beacon off; if it was sent already (a page in the bfcache), its events have left. */
const recall = (v: View): void => {
  if (!v._later) return;
  if (v._later.activated) {
    v._events.splice(0, v._held);
    v._fill = undefined;
    next(v);
  } else v._abort!.abort();
  v._later = undefined;
};

const stand = (): void => {
  clearTimeout(standTimer);
  standTimer = 0;
  if (!may()) return;
  for (const v of pending) {
    recall(v);
    const text = draft(v);
    if (text.length > LONG) return flush();
    try {
      v._abort = new AbortController();
      v._held = v._events.length;
      v._later = later!(options.url!, { method: 'POST', body: stamp(text + ',"deferred":true'), signal: v._abort.signal });
    } catch {
      // Over the quota, or not to be had: the next flush has to do.
    }
  }
};

// --- visible ---------------------------------------------------------------------------------------------------------

const post = (parcel: Parcel): void => {
  parcel._flying = true;
  const failed = (after = 0) => {
    parcel._flying = false;
    parcel._tries++;
    failures++;
    const wait = Math.max(after, Math.min(6e4, 500 * 2 ** failures)) * (1 + Math.random() / 5);
    retryAt = Date.now() + wait;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(pump, wait);
  };
  // The standing fetchLater and every other user of keepalive share 64 KiB; a second attempt does without.
  send(options.url!, {
    method: 'POST',
    body: stamp(parcel._text),
    keepalive: !parcel._tries,
    credentials: 'omit',
  }).then(
    safe((reply: Response) => {
      const { status, headers } = reply;
      if (status === 429 || status === 408 || status >= 500) {
        const after = headers.get('Retry-After') || '';
        return failed(+after * 1000 || Date.parse(after) - Date.now() || 0);
      }
      outbox = outbox.filter((p) => p !== parcel);
      if (status >= 400) drop('refused', parcel._count);
      announced(headers.get('X-Farside-Config'), send);
      if (failures) {
        failures = 0;
        pump();
      }
      return;
    }),
    safe(() => failed()),
  );
};

const pump = safe((): void => {
  if (!may() || navigator.onLine === false || Date.now() < retryAt - 50) return;
  for (const parcel of outbox) {
    if (!parcel._flying) post(parcel);
    if (failures) return;
  }
});

/** Seals what waits, bounded: the oldest goes when there is too much. */
const collect = (): void => {
  clearTimeout(flushTimer);
  flushTimer = 0;
  for (const v of pending) {
    recall(v);
    outbox.push(...seal(v));
  }
  for (const lost of outbox.splice(0, Math.max(0, outbox.length - MOST_WAITING))) drop('outbox', lost._count);
};

export const flush = safe((): void => {
  if (!may()) return;
  collect();
  touch();
  // A long visit says the same things for hours: ever less often, for fetchLater keeps them safe meanwhile.
  gap = Math.min(3e4, gap * 1.5);
  pump();
});

// --- hidden ----------------------------------------------------------------------------------------------------------

const leaving: ((gone: boolean) => void)[] = [];
/** Calls before the last events leave; `gone` when the page itself goes. */
export const onLeave = (call: (gone: boolean) => void): void => void leaving.push(call);

const leave = (gone: boolean): void => {
  for (const call of leaving) safe(call)(gone);
  if (!may()) return;
  collect();
  touch();
  const kept: string[] = [];
  for (const parcel of outbox.slice()) {
    // A fetch in flight goes on without us; while the collector is away nobody would see it fail.
    if (parcel._flying && !failures) continue;
    const sure = !failures && navigator.onLine !== false;
    if (!sure) kept.push(parcel._text);
    if (navigator.onLine === false) continue;
    if (navigator.sendBeacon?.(options.url!, stamp(parcel._text))) {
      if (sure) outbox = outbox.filter((p) => p !== parcel);
    } else if (sure) post(parcel);
  }
  if (kept.length) write(STORE, [...(read(STORE) || []), ...kept].slice(-MOST_WAITING));
};

/** Takes over what an earlier view could not deliver. */
export const resume = (): void => {
  if (!allowed()) return;
  const kept = read(STORE);
  if (!kept) return;
  write(STORE, 0);
  for (const _text of kept) outbox.push({ _text, _count: 0, _tries: 0 });
};

export const stop = (): void => {
  stopped = true;
  for (const v of pending) recall(v);
  pending.clear();
  outbox = [];
};

/** Begins to deliver: a first beacon soon after load, the last when the page is hidden. */
export const deliver = (): void => {
  resume();
  waiting._tell = (urgent) => {
    if (later) {
      if (urgent) stand();
      else standTimer ||= setTimeout(safe(stand), 300);
    } else if (urgent && gap < 15_000) gap = 1000;
    flushTimer ||= setTimeout(flush, gap);
  };
  waiting._tell();
  const loaded = () =>
    setTimeout(() => {
      gap = 5000;
      flush();
    }, 1000);
  if (document.readyState === 'complete') loaded();
  else on(window, 'load', (event) => event.target === document && loaded());
  // On the document and bubbling, so that web-vitals, which listens on the window in the capture phase, has had its say.
  on(document, 'visibilitychange', () => {
    if (seen() === 2) leave(false);
    // Only what happens from here on was lived in the background; a page that just ends was not.
    for (const v of views) if (v === view) v._seen |= seen();
    wake();
    pump();
  }, {});
  on(document, 'freeze', () => leave(false));
  on(document, 'prerenderingchange', () => {
    view._seen |= seen();
    waiting._tell();
  });
  on(window, 'pagehide', () => leave(true));
  on(window, 'online', () => pump());
};
