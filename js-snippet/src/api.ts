/** The API: `window.farside`, and what starts when it is first told a key. */
import { page } from './beacon';
import { crumb } from './breadcrumbs';
import { watchCauses } from './cause';
import { deliver, stop } from './delivery';
import { caught, manual } from './errors';
import { drop, safe } from './guard';
import { list, options, script, setOptions, type Options } from './options';
import { loadRemote, remote } from './remote';
import { navigations } from './navigation';
import { consent as agree, forget, optedOut } from './session';
import { cut } from './text';
import { newSpan } from './trace';
import { emit, now, pending, view, waiting } from './view';

export type Feature = () => void;

let features: Feature[] = [];
let running = false;
/** Whether this reader is not to be observed: they said so, or the browser says so for them. */
const unwelcome = (): boolean => {
  const { globalPrivacyControl, doNotTrack } = navigator as any;
  const respected = list(options.respect);
  return (
    optedOut() ||
    (respected.includes('gpc') && globalPrivacyControl) ||
    (respected.includes('dnt') && doNotTrack === '1')
  );
};

export const init = safe((given: Partial<Options> = {}): void => {
  setOptions(given);
  if (running || !options.key || unwelcome()) return;
  loadRemote();
  if (remote.enabled === false) return;
  running = true;
  watchCauses();
  navigations();
  for (const feature of features) safe(feature)();
  deliver();
  for (const call of early.splice(0)) call();
});

/** Calls made before there was a view. */
const early: (() => void)[] = [];

/** A public function: never throws, and what is called before init waits for it. */
const when = <A extends unknown[]>(call: (...args: A) => void) => {
  const safely = safe(call);
  return (...args: A): void => {
    if (running) safely(...args);
    else if (early.length < 100) early.push(() => safely(...args));
  };
};

export const route = when((template: string) => {
  view._route = template;
});

export const user = when((id?: string) => {
  page._user = id;
});

export const set = when((name: string, value?: unknown) => {
  const all = (page._attributes ||= {});
  if (value == null) delete all[name];
  else if (name in all || Object.keys(all).length < 32) all[cut(name, 64)] = cut(value, 1024);
  else drop('attributes');
});

export const flag = when((name: string, value: unknown, source: string = 'live') => {
  const all = (page._flags ||= {});
  if (name in all || Object.keys(all).length < 64) all[cut(name, 64)] = [cut(value, 256), source];
  else drop('flags');
});

export const error = when(manual);

export const mark = when((name: string, value?: number) => {
  crumb('mark', name);
  emit('mark', now(), { name: cut(name, 256), value: Number.isFinite(value) ? value : undefined, initiator: 'custom' } as any);
});

/** Runs `call`, gives back what it gave, and records how long it took, until its promise settles if it gave one. */
export const span = <T>(name: string, call: () => T): T => {
  const start = now();
  const done = when(() => {
    emit('mark', start, { name: cut(name, 256), initiator: 'span', duration_ms: now() - start, span_id: newSpan() });
  });
  try {
    const result: any = call();
    if (typeof result?.then !== 'function') {
      done();
      return result;
    }
    // A promise derived from the page's: a handler of ours on theirs would hide an unhandled rejection.
    return result.then(
      (value: unknown) => {
        done();
        return value;
      },
      (reason: unknown) => {
        done();
        throw reason;
      },
    );
  } catch (thrown) {
    done();
    throw thrown;
  }
};

export const consent = when(() => {
  agree();
  waiting._tell();
});

export const optOut = (): void => {
  forget();
  stop();
  pending.clear();
};

/** The release that is running; assign to it, or give `data-release`. */
const api = {
  init,
  route,
  user,
  set,
  flag,
  error,
  mark,
  span,
  consent,
  optOut,
  get release(): string | undefined {
    return options.release;
  },
  set release(name: string | undefined) {
    options.release = name;
  },
};

export type Farside = typeof api;

interface Stub {
  /** Calls, and error events, from before. */
  q?: [name: keyof Farside, args: unknown[]][];
  e?: unknown[];
  /** Stops the loader's own listening. */
  x?: () => void;
  init?: unknown;
  release?: string;
}

export const use = (these: Feature[]): Farside => {
  features = these;
  return api;
};

/** Takes the place of the loader's stub, replays what it kept, and starts if our script tag names a key. */
export const install = (these: Feature[]): void => {
  const stub: Stub | undefined = (window as any).farside;
  if ((stub as any)?.init && !stub!.q) return; // we are here already
  use(these);
  (window as any).farside = api;
  if (stub?.release) options.release = stub.release;
  stub?.x?.();
  if (script?.dataset.key) init({ ...script.dataset } as Partial<Options>);
  for (const event of stub?.e || []) when(caught)(event);
  for (const [name, args] of stub?.q || []) (api as any)[name]?.(...args);
};
