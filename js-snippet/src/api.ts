/** The API: `window.farside`, and what starts when it is first told a key. */
import { page } from './beacon';
import { watchCauses } from './cause';
import { crumb } from './breadcrumbs';
import { deliver, flush, stop } from './delivery';
import { caught, errors, manual } from './errors';
import { drop, safe, wait } from './guard';
import { navigations } from './navigation';
import { given, options, script, setOptions, type Options } from './options';
import { requests, timings } from './requests';
import { consent as agree, forget } from './session';
import { cut, hex } from './text';
import { hooks, emit, now, view } from './view';

export type Feature = () => void;

let features: Feature[] = [];
let running = false;
/** Calls made before there was a view. */
const early: (() => void)[] = [];

export const init = safe((given: Partial<Options> = {}): void => {
  if (running) return;
  setOptions(given);
  if (!options.key) return;
  running = true;
  deliver();
  requests();
  errors();
  // The rest can wait for a task of its own, or for the first thing that happens: the page is loading.
  hooks._boot = safe(() => {
    hooks._boot = () => {};
    if (FULL) watchCauses();
    navigations();
    timings();
    features.forEach((feature) => safe(feature)());
  });
  wait(catchUp);
});

/** Makes the calls that had to wait. */
const catchUp = (): void => {
  hooks._boot();
  early.splice(0).forEach((call) => call());
};

/** A public function: never throws, and waits for init if it is called before. */
const when =
  <A extends unknown[]>(call: (...args: A) => void) =>
  (...args: A): void => {
    if (early.length < 99) early.push(() => safe(call)(...args));
    if (running) catchUp();
  };

/** Keeps a name, or forgets it when there is no value; no more names than the wire allows. */
const keep = <T>(all: Record<string, T>, name: string, value: T | null | undefined, most: number): void => {
  if (value == null) delete all[name];
  else if (name in all || Object.keys(all).length < most) all[cut(name, 64)] = value;
  else drop('names');
};

/** What only the whole snippet does; in the core these are there and do nothing. */
const extras = () => ({
  set: when((name: string, value?: unknown) => {
    keep((page._attributes ||= {}), name, value == null ? null : '' + value, 32);
  }),
  flag: when((name: string, value: unknown, source: string = 'live') => {
    keep((page._flags ||= {}), name, ['' + value || '-', source], 64);
  }),
  mark: when((name: string, value?: number) => {
    crumb('mark', name);
    emit(now(), { type: 'mark', name: '' + name, value, initiator: 'custom' });
  }),
  /** Runs `call`, gives back what it gave, and records how long it took, until its promise settles if it gave one. */
  span: <T>(name: string, call: () => T): T => {
    const start = now();
    const done = when(() => {
      emit(start, { type: 'mark', name: '' + name, initiator: 'span', duration_ms: now() - start, span_id: hex(2) });
    });
    let result: any;
    try {
      result = call();
    } finally {
      // A promise derived from the page's: a handler of ours on theirs would hide an unhandled rejection.
      if (result?.finally) result = result.finally(done);
      else done();
    }
    return result;
  },
});

const api = {
  init,
  route: when((template: string) => {
    view._route = template;
  }),
  user: when((id?: string) => {
    options.user = id!;
  }),
  error: when(manual),
  ...(FULL ? extras() : ({ set() {}, flag() {}, mark() {}, span: (_, call) => call() } as ReturnType<typeof extras>)),
  consent: when(() => {
    agree();
    flush();
  }),
  optOut: (): void => {
    forget();
    stop();
  },
};

export type Farside = typeof api & typeof given;

export const use = (these: Feature[]): Farside => {
  features = these;
  return Object.assign(given, api);
};

/** Takes the place of the loader's stub, replays what it kept, and starts if our script tag names a key. */
export const install = (these: Feature[]): void => {
  const stub: any = (window as any).farside || {};
  if (stub.init && !stub.q) return; // we are here already
  (window as any).farside = use(these);
  given.release = stub.release;
  stub.x?.();
  if (script?.dataset.key) init({ ...script.dataset });
  // What happened before us can wait for the view like everything else.
  stub.e?.forEach((event: any) => early.push(() => safe(caught)(event)));
  stub.q?.forEach(([name, args]: any) => (api as any)[name](...args));
};
