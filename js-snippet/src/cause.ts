/** Cause: what made the page do something. The event being handled if there is one, else the last input within a second. */
import { on } from './guard';
import { selector } from './text';
import { navigationEntry, now } from './view';
import type { Cause } from './wire';

/** Trusted events say what they are; a script's own dispatch says nothing. */
export const kindOf = (event: any): Cause | undefined => {
  // Asked at every timer of the page, and nearly always of nothing.
  if (!event?.isTrusted) return;
  const { type } = event;
  return /^(key|input)/.test(type)
    ? 'key'
    : /^(click|submit|change|touchend)|(down|up)$/.test(type)
      ? 'click'
      : /^scroll/.test(type)
        ? 'scroll'
        : /^(pops|hashc|navig|currente)/.test(type)
          ? 'navigation'
          : undefined;
};

/** The last input: what, when, and on what. The name is taken at once, for the element may be gone later. */
export const last = { _at: -1e9 } as { _kind: Cause; _at: number; _target: string };

/** A moment that owns what follows it. */
export const note = (kind: Cause, at = now()): void => {
  last._kind = kind;
  last._at = at;
};

/** The last input if it was within a second; else the load if that is going on. */
export const recent = (otherwise: Cause): Cause => {
  const t = now();
  const loaded = navigationEntry()?.loadEventEnd;
  return t - last._at < 1000 ? last._kind : loaded && t - loaded > 1000 ? otherwise : 'load';
};

export const watchCauses = (): void =>
  on('click keydown scroll popstate', (event) => {
    const kind = kindOf(event);
    if (!kind) return;
    note(kind, event.timeStamp);
    if (kind === 'click' || kind === 'key') last._target = selector(event.target);
  });
