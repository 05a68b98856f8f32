/** Cause: what made the page do something. The event being handled if there is one, else the last input within a second. */
import { on } from './guard';
import { now } from './view';
import type { Cause } from './wire';

const KINDS: Record<string, Cause> = {};
for (const [kind, types] of [
  ['click', 'click pointerdown pointerup mousedown mouseup touchend submit change'],
  ['key', 'keydown keyup keypress input beforeinput'],
  ['scroll', 'scroll wheel touchmove scrollend'],
  ['navigation', 'popstate hashchange navigate currententrychange navigatesuccess'],
] as [Cause, string][])
  for (const type of types.split(' ')) KINDS[type] = kind;

let last: Cause = 'load';
let lastAt = -1e9;
let loaded = Infinity;

/** When the reader last scrolled, on the performance clock. */
export let scrolledAt = -1e9;

/** A moment that owns what follows it. */
export const note = (kind: Cause, at = now()): void => {
  if (kind === 'scroll') scrolledAt = at;
  last = kind;
  lastAt = at;
};

/** The cause of what happens now, and whether it is certain or only the likeliest. */
export const cause = (): [kind: Cause, certain: boolean] => {
  const event = window.event;
  const kind = event?.isTrusted && KINDS[event.type];
  if (kind) return [kind, true];
  const t = now();
  if (t - lastAt < 1000) return [last, false];
  return [t - loaded < 1000 ? 'load' : 'timer', false];
};

export const watchCauses = (): void => {
  on(window, 'click keydown wheel touchmove scroll popstate', (event) => {
    if (event.isTrusted) note(KINDS[event.type]!);
  });
  const done = () => {
    loaded = now();
  };
  loaded = now() + 6e5;
  if (document.readyState === 'complete') done();
  else on(window, 'load', (event) => event.target === document && done());
};
